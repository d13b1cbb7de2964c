"""How does ``warrant run`` go from a project file to a verdict?"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from gate.opening import ensure_ledger
from modelwarrant import policy
from modelwarrant.canonical import digest_bytes
from modelwarrant.cli.deciding import ask_person, describe_request, pass_gate
from modelwarrant.cli.knowledge import Place, open_place
from modelwarrant.cli.options import note, out
from modelwarrant.cli.ruling import load_policy
from modelwarrant.cli.scoring import production_bundle
from modelwarrant.cli.words import number, print_decision
from modelwarrant.cli.workplace import hold_lock, prune
from modelwarrant.errors import PolicyError
from modelwarrant.project import Project, load
from modelwarrant.records import Decision, DriftReport, EvaluationReport, PromotionRequest
from modelwarrant.sources import find_classes
from modelwarrant.windows import FeatureSchema, parse_bounds
from pipelines.local import FinishedTask, RunResult, run_plan, warm_up
from pipelines.plan import read_plan

__all__ = [
    "EXITS",
    "Ending",
    "RunSummary",
    "compiled_lifecycle",
    "ending_of",
    "lifecycle_parameters",
    "own_code",
    "print_summary",
    "run_lifecycle",
    "schema_of",
    "sound_policy",
    "with_windows",
]

Ending = Literal["promoted", "needs approval", "hold", "rejected"]

EXITS: Final[dict[Ending, int]] = {"promoted": 0, "needs approval": 10, "hold": 11, "rejected": 12}


def ending_of(outcome: str | None, verdict: str | None) -> Ending:
    """Return how a run ended, of its request's outcome and of the verdict."""
    if outcome == "promoted":
        return "promoted"
    if outcome in ("rejected", "cancelled", "expired"):
        return "rejected"
    if outcome is None:
        return "needs approval"
    return "rejected" if verdict == "REJECT" else "hold"


@dataclass(frozen=True)
class RunSummary:
    """What one run came to."""

    run: str
    model: str
    decision: Decision
    request: PromotionRequest
    drift: DriftReport
    evaluation: EvaluationReport
    reports: dict[str, str]
    stages: tuple[FinishedTask, ...]
    seconds: float
    peak_memory_bytes: int

    @property
    def ending(self) -> Ending:
        """How the run ended; names the exit code."""
        return ending_of(self.request.outcome, self.decision.verdict)

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        gain = self.evaluation.current.gain
        return {
            "run": self.run,
            "model": self.model,
            "verdict": self.decision.verdict,
            "rule": self.decision.rule,
            "reason": self.decision.reason,
            "would_change": [
                change.model_dump(mode="json") for change in self.decision.would_change
            ],
            "levels": self.decision.levels,
            "outcome": self.request.outcome,
            "outcome_reason": self.request.outcome_reason,
            "request": self.request.id,
            "version": self.request.version,
            "candidate_digest": self.decision.candidate_digest,
            "baseline_digest": self.decision.baseline_digest,
            "decision_digest": self.decision.digest,
            "evidence_digest": self.decision.evidence_digest,
            "policy_digest": self.decision.policy_digest,
            "drift": self.drift.level,
            "metric": self.evaluation.metric,
            "gain": gain.model_dump(mode="json"),
            "n_labels": self.decision.n_labels,
            "n_required": self.decision.n_required,
            "reports": self.reports,
            "stages": [
                {"stage": task.name, "seconds": round(task.seconds, 3), "reused": task.was_reused}
                for task in self.stages
            ],
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": self.peak_memory_bytes // 2**20,
        }


def run_lifecycle(
    path: Path,
    *,
    current: str | None,
    reference: str | None,
    store: str | None,
    ask: bool,
    progress: bool,
) -> RunSummary:
    """Run one lifecycle of a project.

    Args:
        path: the project file.
        current: another current window than the project's.
        reference: another first reference window than the project's.
        store: another store than the environment's.
        ask: ask the person at the terminal where an approval is needed.
        progress: print a line a stage.

    Raises:
        WarrantError: what a stage, the ledger or the gate refused.
    """
    started = time.monotonic()
    project = with_windows(load(path), current=current, reference=reference)
    place = open_place(store)
    rules = sound_policy(project)
    with hold_lock(place.work / project.model, what=f"run of {project.model!r}"):
        _open_ledger(place, project.model)
        if reference is not None and place.state(project.model).production is not None:
            note("note: --reference is for a first model; production's own window is the reference")
        run = f"{place.now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        walker = _Walker(place, project, run, rules, ask=ask, show=out if progress else None)
        result = walker.walk()
        summary = walker.summary(result, started)
        prune(place.work / project.model)
    return summary


def sound_policy(project: Project) -> policy.Policy:
    """Read the project's policy; one that fails the linter decides nothing.

    Raises:
        PolicyError: names the file and what the linter found.
    """
    rules = load_policy(project.policy)
    findings = policy.lint(rules) if project.policy is not None else ()
    if findings:
        raise PolicyError(f"{project.policy}: {'; '.join(findings)}")
    return rules


def _open_ledger(place: Place, model: str) -> None:
    """Begin the model's ledger where there is none, with the shipped policy in force."""
    opened = ensure_ledger(
        place.store,
        model,
        home=place.home,
        policy=policy.default_policy(),
        actor=place.settings.actor,
        now=place.now,
    )
    if opened.replaced_genesis is not None:
        note(
            f"note: a ledger of {model} that was remembered here (first entry "
            f"{opened.replaced_genesis}) is gone with its whole store; a new one begins"
        )


def with_windows(project: Project, *, current: str | None, reference: str | None) -> Project:
    """Return the project with other windows than those of its file."""
    windows = project.windows
    if current is not None:
        windows = replace(windows, current=parse_bounds(current))
    if reference is not None:
        windows = replace(windows, reference=parse_bounds(reference))
    return replace(project, windows=windows)


def compiled_lifecycle() -> Path:
    """Return the compiled pipeline, the same for a laptop and a cluster."""
    import pipelines

    return Path(pipelines.__file__).parent / "lifecycle.yaml"


def lifecycle_parameters(
    project: Project,
    rules: policy.Policy,
    *,
    contract: FeatureSchema,
    store: str,
    run: str,
    requester: str,
) -> dict[str, Any]:
    """Return the parameters of the compiled pipeline, wherever it will run.

    Args:
        project: what to run.
        rules: the policy to decide by.
        contract: the feature schema, classes included.
        store: as the stages reach it.
        run: id of the run.
        requester: who asks.
    """
    return {
        "model": project.model,
        "source": project.source,
        "base": str(project.base.resolve()),
        "store": store,
        "current": str(project.windows.current),
        "reference": str(project.windows.reference),
        "final": project.windows.final,
        "contract": contract.model_dump(mode="json"),
        "recipe": project.recipe.model_dump(mode="json"),
        "train": str(project.windows.train),
        "metric": project.metric,
        "slices": list(project.slices),
        "policy": rules.to_bytes().decode(),
        "run": run,
        "requester": requester,
        "review_by": "" if project.review_by is None else project.review_by.isoformat(),
        "monitor_every_s": int((project.monitor_every or timedelta()).total_seconds()),
        "season_s": int((project.windows.season or timedelta()).total_seconds()),
    }


class _Walker:
    """One run: its parameters, its progress lines, and the gate in its middle."""

    def __init__(
        self,
        place: Place,
        project: Project,
        run: str,
        rules: policy.Policy,
        *,
        ask: bool,
        show: Callable[[], Any] | None,
    ) -> None:
        self._place, self._project, self._run, self._rules = place, project, run, rules
        self._work = place.work / project.model
        self._ask, self._show = ask, show
        self._request: PromotionRequest | None = None
        self._finished: dict[str, FinishedTask] = {}

    def walk(self) -> RunResult:
        """Warm up and walk the compiled pipeline."""
        if self._show:
            self._show().print(
                f"{self._project.model}: run {self._run}", style="bold", markup=False
            )
        plan = read_plan(compiled_lifecycle())
        is_own = ":" in self._project.recipe.model  # it may need whatever is installed
        warm_up(hidden=() if is_own else ("pandas",))
        return run_plan(
            plan,
            self._parameters(),
            work=self._work,
            run=self._run,
            salt=own_code(self._project),
            on_finish=self._on_finish,
            while_waiting=self._while_waiting,
        )

    def _parameters(self) -> dict[str, Any]:
        return lifecycle_parameters(
            self._project,
            self._rules,
            contract=schema_of(self._place, self._project),
            store=self._place.store.uri,
            run=self._run,
            requester=self._place.settings.actor,
        )

    def _on_finish(self, task: FinishedTask) -> None:
        self._finished[task.name] = task
        if self._show:
            how = "kept from an earlier run" if task.was_reused else f"{task.seconds:6.2f} s"
            said = ", ".join(
                f"{name} {value}" for name, value in task.parameters.items() if name in _SAID
            )
            self._show().print(f"  {task.name:20} {how}   {said}".rstrip(), markup=False)

    def _while_waiting(self, _: str) -> bool:
        """Be the gate: process the request, and ask the person at the terminal where one must."""
        request_id = self._finished["request-promotion"].parameters["request"]
        self._request = pass_gate(self._place, request_id)
        if self._request.outcome is None and self._ask:
            self._request = ask_person(self._place, self._request, self._decision())
        return self._request.outcome is not None

    def _decision(self) -> Decision:
        return Decision.from_bytes(
            self._finished["decide-promotion"].artifact("decision").read_bytes(), name="decision"
        )

    def summary(self, result: RunResult, started: float) -> RunSummary:
        """Read what the stages wrote, put the pages where a person finds them, and sum up."""
        tasks = result.tasks
        drift = DriftReport.from_bytes(
            tasks["detect-drift"].artifact("drift_report").read_bytes(), name="drift report"
        )
        evaluation = EvaluationReport.from_bytes(
            tasks["evaluate-model"].artifact("evaluation_report").read_bytes(),
            name="evaluation report",
        )
        if self._request is None:
            self._request = pass_gate(self._place, tasks["request-promotion"].parameters["request"])
        summary = RunSummary(
            run=self._run,
            model=self._project.model,
            decision=self._decision(),
            request=self._request,
            drift=drift,
            evaluation=evaluation,
            reports=self._pages(tasks),
            stages=tuple(tasks.values()),
            seconds=time.monotonic() - started,
            peak_memory_bytes=result.peak_memory_bytes,
        )
        folder = self._work / "runs" / self._run
        temporary = folder / ".run.json"
        temporary.write_text(json.dumps(summary.document(), indent=2))
        temporary.replace(folder / "run.json")
        return summary

    def _pages(self, tasks: Any) -> dict[str, str]:
        folder = self._work / "runs" / self._run
        folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for name, task in _PAGES.items():
            shutil.copyfile(tasks[task].artifact("page"), folder / f"{name}.html")
            found[name] = _shown(folder / f"{name}.html")
        if self._request is not None:  # the stage drew it before there was an outcome
            page = describe_request(self._place, self._request.id)[2]
            if page is not None:
                shutil.copyfile(page, folder / "report.html")
        return found


_PAGES: Final = {
    "report": "request-promotion",
    "drift": "detect-drift",
    "evaluation": "evaluate-model",
}
_SAID: Final = frozenset({"level", "verdict", "rule", "gain", "request", "outcome"})
"""Output parameters that a progress line repeats."""


def schema_of(place: Place, project: Project) -> FeatureSchema:
    """Return the project's schema; classes that it does not list are production's, else the data's.

    Raises:
        TargetError: the windows hold fewer than two labels.
    """
    if project.task != "classification" or project.classes is not None:
        return project.schema()
    state = place.ledger(project.model).state()
    if state.production_version is not None:
        known = production_bundle(place, project.model)[1].schema
        return project.schema(classes=known.classes)
    return project.schema(
        classes=find_classes(
            project.source,
            target=project.target,
            base=project.base,
            bounds=(project.windows.reference, project.windows.current),
            time=project.time,
            class_kind=project.class_kind,
        )
    )


def own_code(project: Project) -> str:
    """Digest the module of a user's own estimator: a changed one must be trained again."""
    module, colon, _ = project.recipe.model.partition(":")
    if not colon:
        return ""
    file = project.base / (module.replace(".", "/") + ".py")
    return digest_bytes(file.read_bytes()) if file.is_file() else module


def _shown(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def print_summary(summary: RunSummary) -> None:
    """Print verdict, reasons, what would change it, the reports, and what to do next."""
    console = out()
    console.print()
    print_decision(summary.decision)
    gain = summary.evaluation.current.gain
    against = summary.evaluation.current.baseline
    console.print(
        f"  {summary.evaluation.metric}: {number(summary.evaluation.current.baseline_loss)} "
        f"({against}) against {number(summary.evaluation.current.candidate_loss)} (candidate), "
        f"gain {number(gain.estimate)} in [{number(gain.lower)}, {number(gain.upper)}] "
        f"on {summary.evaluation.current.n_rows:,} final rows",
        markup=False,
    )
    console.print(f"  drift: {summary.drift.level}", markup=False)
    for name, page in summary.reports.items():
        console.print(f"  {name}: {page}", markup=False)
    if summary.request.outcome is None:
        console.print(
            f"\nA person must decide (request {summary.request.id}):\n"
            f'  warrant approve {summary.request.id} --reason "..."\n'
            f'  warrant reject {summary.request.id} --reason "..."\n'
            f"  you asked yourself: add --self-approve, and it is recorded as such",
            markup=False,
        )
    else:
        version = f": version {summary.request.version}" if summary.request.version else ""
        console.print(f"\n{summary.request.outcome}{version}", style="bold", markup=False)
        if summary.request.outcome_reason:
            console.print(f"  {summary.request.outcome_reason}", markup=False)
    console.print(
        f"{summary.seconds:.2f} s, peak memory {summary.peak_memory_bytes // 2**20} MB",
        style="dim",
        markup=False,
    )
