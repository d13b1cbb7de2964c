"""Commands of a cluster: submit."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.options import JsonOption, ProjectOption, answer_json, note, out

if TYPE_CHECKING:
    from modelwarrant.cli.submitting import Target

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("submit")(submit)


def submit(
    project: ProjectOption = Path("warrant.yaml"),
    host: Annotated[
        str, typer.Option("--host", envvar="KFP_HOST", help="Address of the Pipelines API.")
    ] = "http://127.0.0.1:8888",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Namespace of the runs.")
    ] = "kubeflow",
    experiment: Annotated[
        str, typer.Option("--experiment", help="Experiment that the run is listed under.")
    ] = "modelwarrant",
    images: Annotated[
        str,
        typer.Option(
            "--images", envvar="WARRANT_IMAGES", help="Names of the images; {stage} is filled in."
        ),
    ] = "modelwarrant/{stage}:dev",
    cluster_store: Annotated[
        str,
        typer.Option(
            "--cluster-store", envvar="WARRANT_CLUSTER_STORE", help="As the stages reach it."
        ),
    ] = "s3://modelwarrant",
    source: Annotated[
        str | None,
        typer.Option("--source", help="Another source, one that the cluster's stages can read."),
    ] = None,
    current: Annotated[
        str | None, typer.Option("--current", metavar="W", help="Window to train and decide on.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="W", help="First model: window to compare with."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow it to the gate's verdict.")
    ] = False,
    until_outcome: Annotated[
        bool, typer.Option("--until-outcome", help="Follow it until people have decided, too.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Minutes to follow it.")
    ] = 60.0,
    monitor: Annotated[
        str | None,
        typer.Option(
            "--monitor",
            metavar="PERIOD",
            help="No lifecycle: let the monitor run so often, as a recurring run.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the lifecycle on Kubeflow Pipelines; WARRANT_GATE names the gate's namespace.

    Exit code with --watch: 0 promoted, 10 needs approval, 11 hold, 12 rejected, 2 change the input,
    75 later; without: 0 once the run is started.
    """
    from modelwarrant.cli.running import EXITS
    from modelwarrant.cli.submitting import Target, submit_lifecycle

    def show(line: str) -> None:
        if as_json:
            note(line)
        else:
            out().print(line, markup=False)

    target = Target(host, namespace, experiment, images, cluster_store)
    if monitor is not None:
        _schedule(project, target, monitor, source, show, as_json=as_json)
        return
    submission = submit_lifecycle(
        project,
        target,
        current=current,
        reference=reference,
        source=source,
        follow="outcome" if until_outcome else "decision" if watch else "no",
        timeout=timedelta(minutes=timeout),
        show=show,
    )
    told = submission.document()
    if as_json:
        answer_json(told)
    elif watch or until_outcome:
        _print_end(told)
    if watch or until_outcome:
        raise typer.Exit(EXITS[submission.ending])


def _schedule(
    project: Path,
    target: "Target",
    period: str,
    source: str | None,
    show: Callable[[str], None],
    *,
    as_json: bool,
) -> None:
    from modelwarrant.cli.repeating import period_of
    from modelwarrant.cli.scheduling import schedule_monitor

    every = period_of(period, "--monitor")
    made = schedule_monitor(project, target, every=every, source=source, show=show)
    if as_json:
        answer_json(made.document())


def _print_end(told: dict[str, object]) -> None:
    console = out()
    console.print(f"\n{told['verdict']}: rule '{told['rule']}'", style="bold", markup=False)
    console.print(f"  drift {told['drift']}, gain {told['delta']}", markup=False)
    if told["outcome"] is None:
        console.print(
            f"  waits for {told['waiting_for']}; somebody else decides:\n"
            f'  warrant approve {told["request"]} --reason "..."',
            markup=False,
        )
    else:
        version = f": version {told['version']}" if told["outcome"] == "promoted" else ""
        console.print(f"  {told['outcome']}{version}", markup=False)
        console.print(f"  {told['outcome_reason']}", markup=False)
