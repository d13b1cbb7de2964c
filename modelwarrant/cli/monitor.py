"""Commands that watch what is in production: monitor, labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.options import (
    JsonOption,
    ModelArgument,
    ProjectOption,
    StoreOption,
    answer_json,
    note,
    out,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwarrant.cli.knowledge import Place
    from modelwarrant.cli.monitoring import Pass
    from modelwarrant.records import MonitoringEvidence

__all__ = ["register"]

_DEFAULT_PROJECT = Path("warrant.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("monitor")(monitor)
    labels = typer.Typer(help="Labels that arrived.", no_args_is_help=True)
    labels.command("add")(labels_add)
    app.add_typer(labels, name="labels")


def monitor(
    model: ModelArgument,
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="PERIOD", help="Repeat, for example every 1h; Ctrl-C ends."
        ),
    ] = None,
    start: Annotated[
        bool,
        typer.Option("--start/--no-start", help="Start the lifecycle where it says retrain."),
    ] = True,
    cooldown: Annotated[
        int, typer.Option("--cooldown", metavar="DAYS", min=1, help="Between two retrainings.")
    ] = 7,
    slo: Annotated[
        float | None,
        typer.Option(
            "--slo",
            metavar="LOSS",
            min=0.0,
            help="Loss that is promised; the estimate is compared with it. Default: production's "
            "own on the reference.",
        ),
    ] = None,
    project: ProjectOption = _DEFAULT_PROJECT,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make one monitoring pass: none, label, retrain, hold or rollback, with its reason.

    Exit code: 0 none, 20 label, 21 retrain, 22 hold, 23 rollback, 2 change the input, 75 later.
    """
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.monitoring import EXITS
    from modelwarrant.cli.repeating import repeat
    from modelwarrant.errors import RequestError
    from modelwarrant.records import MonitoringThresholds

    place = open_place(store)
    if place.settings.gate is not None:
        raise RequestError(
            "WARRANT_GATE is set: on a cluster the monitor is a recurring run, see "
            "`warrant submit --monitor 1h`"
        )
    thresholds = MonitoringThresholds(cooldown_days=cooldown, slo=slo)

    def one() -> int:
        from modelwarrant.cli.monitoring import make_pass

        show = note if not as_json else (lambda line: None)
        done = make_pass(place, model, base=project.parent, thresholds=thresholds, show=show)
        if as_json:
            answer_json(done.document())
        else:
            _print(done)
        if start:
            _start_pending(place, model, project)
        return EXITS[done.action.action]

    if every is None:
        raise typer.Exit(one())
    repeat(one, every)


def labels_add(
    file: Annotated[str, typer.Argument(help="Labels: CSV or Parquet.")],
    key: Annotated[
        str, typer.Option("--key", metavar="COLUMN", help="Column of the request's id.")
    ] = "request_id",
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="COLUMN",
            show_default="label, or the target's name",
            help="Column of the label.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Needed where the store has several.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add labels of logged predictions: late, corrected or doubled ones are welcome.

    Columns beside key and label, where they are there: row (the place in a batch request, default
    0) and time (when the label became known: of two labels of one row the later counts).
    """
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.labelling import add_labels

    added = add_labels(open_place(store), file, model=model, key=key, label=label)
    if as_json:
        answer_json(added)
        return
    known = "" if added["new"] else ", all known before"
    out().print(f"{added['labels']:,} labels of {added['model']}{known}", markup=False)
    if added["missing"] or added["repeated"]:
        out().print(
            f"  {added['missing']:,} rows without a label, {added['repeated']:,} repeated",
            markup=False,
        )


def _print(done: "Pass") -> None:
    console, evidence = out(), done.action.evidence
    console.print(f"{done.action.action}: {done.note}", markup=False)
    if not done.is_new:
        console.print("  nothing new since the pass before", markup=False)
    log, labels = evidence.log, evidence.labels
    console.print(
        f"  {log.rows:,} predictions in {log.files:,} files, {log.production:,} of version "
        f"{evidence.situation.version}; {labels.joined:,} of them labelled",
        markup=False,
    )
    for said in _losses(evidence):
        console.print(f"  {said}", markup=False)
    for count, what in (
        (len(log.torn), f"torn files: {', '.join(log.torn[:3])}"),
        (sum(log.gone.values()), f"predictions of versions that are gone: {', '.join(log.gone)}"),
        (log.repeated, "predictions answered again under the same id"),
        (log.future, "predictions dated in the future: clocks disagree"),
        (labels.unknown_requests, "labels of requests that the log does not hold"),
        (labels.conflicting, "rows with labels that contradict each other"),
        (labels.unreadable, "labels that are no class of the model"),
        (labels.early, "labels dated before their answer: clocks disagree"),
        (len(labels.broken), f"broken parts of labels: {', '.join(labels.broken[:3])}"),
    ):
        if count:
            console.print(f"  {count:,} {what}", markup=False)
    if done.rolled_back_to is not None:
        console.print(f"  back in production: version {done.rolled_back_to}", markup=False)
    if done.sample is not None:
        console.print(f"  rows to label: {done.sample}", markup=False)
    if done.page is not None:
        console.print(f"  page: {done.page}", markup=False)


def _losses(evidence: "MonitoringEvidence") -> "Iterator[str]":
    """Yield what the window loses: estimated without labels, and realised."""
    made, realised = evidence.estimate, evidence.realised
    name = evidence.situation.metric.replace("_", " ")
    if made is not None and made.value is None:
        yield f"estimated {name}: void, {made.reason}"
    elif made is not None:
        ends = f"{made.lower:.4g} to {made.upper:.4g}, {made.method}"
        yield (
            f"estimated {name} {made.value:.4g} ({ends}), objective {made.objective:.4g}: "
            f"{made.level}{f', {made.reason}' if made.level == 'void' else ''}"
        )
    if realised is not None:
        gap = ""
        if realised.estimated is not None:
            gap = f"; estimated minus realised {realised.estimated - realised.value:+.3g}"
        yield f"realised {name} {realised.value:.4g} on {realised.n_labels:,} labelled rows{gap}"


def _start_pending(place: "Place", model: str, project: Path) -> None:
    """Start the run that a recorded retraining asks for, where its project is at hand."""
    from modelwarrant.cli.monitoring import pending_retraining
    from modelwarrant.cli.running import run_lifecycle
    from modelwarrant.project import load

    if pending_retraining(place, model) is None:
        return
    if not project.is_file() or load(project).model != model:
        note(f"to retrain: `warrant run` with the project file of {model}")
        return
    summary = run_lifecycle(
        project, current=None, reference=None, store=place.store.uri, ask=False, progress=False
    )
    note(f"retrained: run {summary.run}, {summary.ending}; request {summary.request.id}")
