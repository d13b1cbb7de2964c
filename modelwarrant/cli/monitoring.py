"""How does ``warrant monitor`` make one pass, and what does it do with the result?

A pass over what an earlier one looked at is answered from the ledger. Otherwise the compiled
monitor pipeline is walked, and the gate records the action. A pass that is killed anywhere leaves
nothing half done: the next one finds the same situation, and with it the same entry.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gate import requests
from gate.acting import ACTION_FILE, EVIDENCE_FILES, is_whole, place_of, read_evidence
from gate.gate import Gate
from gate.situation import name_of_pass, production_of, situation_of
from modelwarrant.cli.knowledge import Place
from modelwarrant.cli.workplace import hold_lock, prune
from modelwarrant.errors import BusyError, IllegalOperationError, RequestError
from modelwarrant.records import (
    EvaluationReport,
    MonitorAct,
    MonitoringAction,
    MonitoringThresholds,
    Situation,
    WindowRef,
)
from modelwarrant.registry import State, read_blob
from modelwarrant.registry.acts import ACT_STEP, Acted, acts
from pipelines.local import FinishedTask, run_plan, warm_up
from pipelines.plan import read_plan

__all__ = ["EXITS", "Pass", "make_pass", "pending_retraining"]

EXITS: Final[dict[MonitorAct, int]] = {
    "none": 0,
    "label": 20,
    "retrain": 21,
    "hold": 22,
    "rollback": 23,
}

_REPORT: Final = "evaluation_report.json"
_WARM: Final = (
    "onnxruntime",
    "pyarrow.parquet",
    "jinja2",
    "sklearn.ensemble",
    "scipy.stats",
    "sklearn.isotonic",
)


@dataclass(frozen=True)
class Pass:
    """What one pass came to."""

    id: str
    action: MonitoringAction
    is_new: bool
    """False: an earlier pass looked at exactly this."""
    rolled_back_to: int | None
    note: str
    page: Path | None
    sample: Path | None
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return the pass as JSON."""
        action, evidence = self.action, self.action.evidence
        return {
            "pass": self.id,
            "model": action.model,
            "version": evidence.situation.version,
            "action": action.action,
            "rule": action.rule,
            "reason": action.reason,
            "note": self.note,
            "new": self.is_new,
            "rolled_back_to": self.rolled_back_to,
            "evidence_digest": action.digest,
            "drift": evidence.drift,
            "estimate": None
            if evidence.estimate is None
            else evidence.estimate.model_dump(mode="json"),
            "realised": None
            if evidence.realised is None
            else evidence.realised.model_dump(mode="json"),
            "degradation": evidence.degradation.model_dump(mode="json"),
            "watch": None if evidence.watch is None else evidence.watch.model_dump(mode="json"),
            "log": evidence.log.model_dump(mode="json"),
            "labels": evidence.labels.model_dump(mode="json"),
            "labels_missing": evidence.n_missing,
            "labels_asked": sum(part.asked for part in evidence.sample),
            "sample": None if self.sample is None else str(self.sample),
            "page": None if self.page is None else str(self.page),
            "seconds": round(self.seconds, 3),
        }


def make_pass(
    place: Place,
    model: str,
    *,
    base: Path,
    thresholds: MonitoringThresholds,
    show: Callable[[str], None],
) -> Pass:
    """Make one pass and record its action.

    Args:
        place: the store, and who monitors.
        model: the model's name.
        base: folder that the reference's relative path starts from.
        thresholds: to compare with.
        show: told a line of progress.

    Raises:
        UnknownModelError: no such model, or nothing of it is in production.
        BusyError: another pass is at work, or production moved meanwhile.
    """
    started = time.monotonic()
    folder = place.work / model / "monitor"
    with hold_lock(folder, what=f"monitoring pass of {model!r}"):
        state = place.state(model)
        situation, metric = _situation(place, state, thresholds)
        id = name_of_pass(situation)
        if f"{id}{ACT_STEP}" not in state.txns:
            name = _walk(place, state, situation, metric, base, folder, show)
            id = name.removeprefix("act-")  # another one where the log grew meanwhile
            is_new, files = True, read_evidence(place.store, place_of(model, name))
        else:
            acted = next(each for each in acts(place.store, state) if each.request == id)
            is_new, files = False, _kept(place, state, acted)
        return _record(place, model, id, files, folder, is_new=is_new, started=started)


def pending_retraining(place: Place, model: str) -> Acted | None:
    """Return a recorded retraining that no run has answered yet, None where there is none."""
    state = place.state(model)
    newest = next((each for each in acts(place.store, state) if each.act.action == "retrain"), None)
    if newest is None or any(seq > newest.seq for seq in state.decisions):
        return None
    return None if _open_run(place, model) else newest


def _situation(
    place: Place, state: State, thresholds: MonitoringThresholds
) -> tuple[Situation, str]:
    metric = _metric(place, state)
    situation, _ = situation_of(
        place.store,
        state,
        open_run=_open_run(place, state.model),
        metric=metric,
        thresholds=thresholds,
        now=place.now,
    )
    return situation, metric


def _open_run(place: Place, model: str) -> str | None:
    waiting = requests.list_requests(place.store, model=model, waiting_only=True)
    return next((f"request {each.id}" for each in waiting if each.operation == "promote"), None)


def _metric(place: Place, state: State) -> str:
    """Return the metric that production was decided by, as its evidence says."""
    version = production_of(state)
    decided = state.decisions[version.decision or 0]
    for blob in decided.blobs:
        if blob.name == _REPORT:
            data = read_blob(place.store, state.model, decided.attempt, blob)
            return EvaluationReport.from_bytes(data, name=_REPORT).metric
    from modelwarrant.cli.scoring import version_bundle
    from modelwarrant.evaluation import DEFAULT_METRIC

    task = version_bundle(place, state.model, version).schema.task
    return DEFAULT_METRIC[task or "classification"]


def _walk(
    place: Place,
    state: State,
    situation: Situation,
    metric: str,
    base: Path,
    folder: Path,
    show: Callable[[str], None],
) -> str:
    """Walk the compiled pipeline; its last stage hands the evidence in and names it."""
    from modelwarrant.cli.scoring import version_bundle

    bundle = version_bundle(place, state.model, production_of(state))
    current: WindowRef = bundle.manifest.current
    parameters = {
        "model": state.model,
        "source": current.source,
        "base": str(base.resolve()),
        "store": place.store.uri,
        "reference": current.bounds,
        "final": current.final,
        "contract": bundle.declared_schema.model_dump(mode="json"),
        "metric": metric,
        "thresholds": situation.thresholds.model_dump(mode="json"),
    }

    def finished(task: FinishedTask) -> None:
        if task.name == "decide-action":
            shutil.copyfile(task.artifact("page"), folder / "monitor.html")
        show(f"  {task.name:20} {task.seconds:6.2f} s")

    show(f"{state.model}: pass {name_of_pass(situation)}")
    warm_up(_WARM)
    plan = read_plan(compiled_monitor())
    id = name_of_pass(situation)
    result = run_plan(plan, parameters, work=folder, run=id, on_finish=finished)
    prune(folder)
    return str(result.tasks["request-action"].parameters["request"])


def compiled_monitor() -> Path:
    """Return the compiled pipeline, the same for a laptop and a cluster."""
    import pipelines

    return Path(pipelines.__file__).parent / "monitor.yaml"


def _kept(place: Place, state: State, acted: Acted) -> dict[str, bytes]:
    """Return the evidence that the ledger keeps of an action."""
    if acted.act.attempt is None:
        raise RequestError(f"entry {acted.seq} of {state.model} keeps no evidence")
    return {
        blob.name: read_blob(place.store, state.model, acted.act.attempt, blob)
        for blob in acted.act.blobs
        if blob.name in EVIDENCE_FILES
    }


def _record(
    place: Place,
    model: str,
    id: str,
    files: dict[str, bytes],
    folder: Path,
    *,
    is_new: bool,
    started: float,
) -> Pass:
    """Let the gate record the action, or finish what a killed pass has left."""
    action = MonitoringAction.from_bytes(files[ACTION_FILE], name=ACTION_FILE)
    rolled_back_to, said = None, action.reason
    if is_new or not is_whole(place.state(model), id, action.action):
        try:
            done = Gate(place.store, place.home).act(
                model, files, id=id, actor=place.settings.actor, now=place.now
            )
        except IllegalOperationError as error:
            raise BusyError(str(error)) from error
        rolled_back_to, said = done.version, done.note
    sample = None
    if "sample.csv" in files:
        sample = folder / "sample.csv"
        sample.write_bytes(files["sample.csv"])
    page = folder / "monitor.html"
    return Pass(
        id=id,
        action=action,
        is_new=is_new,
        rolled_back_to=rolled_back_to,
        note=said,
        page=page if page.is_file() else None,
        sample=sample,
        seconds=time.monotonic() - started,
    )
