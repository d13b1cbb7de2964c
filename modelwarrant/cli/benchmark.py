"""Commands that measure again what the documents state."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.drift_benchmark import drift
from modelwarrant.cli.monitor_benchmark import monitoring
from modelwarrant.cli.options import JsonOption, StoreOption, answer_json, note, table
from modelwarrant.cli.serving_benchmark import serving

if TYPE_CHECKING:
    from modelwarrant.records import RuleFigures

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Measure again what the documents state.", no_args_is_help=True)
    group.callback()(_group)
    group.command("decisions")(decisions)
    group.command("drift")(drift)
    group.command("monitoring")(monitoring)
    group.command("registry")(registry)
    group.command("serving")(serving)
    app.add_typer(group, name="benchmark")


def _group() -> None:
    """Measure again what the documents state."""


def decisions(
    quick: Annotated[
        bool, typer.Option("--quick", help="17 streams, in two minutes; for CI.")
    ] = False,
    scenarios: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="S", help="Only this one (again for more)."),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="R", help="Only this rule (again for more)."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds 0, 1, 2 ...")] = 20,
    most: Annotated[int, typer.Option("--streams", min=1, help="Streams at most.")] = 300,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes.", show_default="cores")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="Promotion policy; default: the shipped one.")
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", metavar="DIR", help="Take the real tables in DIR, too."),
    ] = None,
    to: Annotated[Path, typer.Option("--out", help="Folder for table, summary and page.")] = Path(
        "benchmark-decisions"
    ),
    as_json: JsonOption = False,
) -> None:
    """Compare rules over streams whose shift is known: wrong and missed promotions, regret.

    Without --quick or --scenario: a declared fraction of all scenarios, in --streams streams. What
    was ended goes on where it was, with the same --out.
    """
    from modelwarrant.cli.benchmarking import compare_decisions

    results = compare_decisions(
        quick=quick,
        scenarios=scenarios or [],
        rules=rules or [],
        seeds=seeds,
        most=most,
        workers=workers,
        policy=policy,
        tables=tables,
        to=to,
        show=note,
    )
    if as_json:
        answer_json(results.summary.model_dump(mode="json"))
    else:
        columns = ("rule", "false", "blocked", "asked", "trained", "cost")
        shown = [each for each in results.summary.overall if not each.rule.startswith("control-")]
        table(columns, [_row(figures) for figures in shown])
        note(
            "false promotions, false blocks, reviews and trainings in 100 decisions, cost a window"
        )
    note(f"wrote {', '.join(str(path) for path in results.files)}")


def _row(figures: "RuleFigures") -> tuple[str, ...]:
    """Return a rule's figures in 80 characters: intervals where a rule is judged by them."""
    return (
        figures.rule,
        f"{figures.wrong.estimate:.1f} [{figures.wrong.lower:.1f}, {figures.wrong.upper:.1f}]",
        *(f"{each.estimate:.0f}" for each in (figures.missed, figures.reviews, figures.trainings)),
        f"{figures.cost.estimate:.0f}",
    )


def registry(
    store: StoreOption = None,
    writers: Annotated[int, typer.Option("--writers", min=1, help="Processes.")] = 16,
    entries: Annotated[int, typer.Option("--entries", min=1, help="Of each writer.")] = 250,
    ledger: Annotated[
        int, typer.Option("--ledger", min=2, help="Entries of the ledger that is opened.")
    ] = 5000,
    blobs_mb: Annotated[int, typer.Option("--blobs-mb", min=0, help="Its blobs.")] = 64,
    as_json: JsonOption = False,
) -> None:
    """Race, append, open and verify ledgers in a place of their own in the store."""
    from modelwarrant.cli.measuring import Size, measure_registry
    from modelwarrant.stage.settings import read_settings

    size = Size(writers, entries, racers=32, keys=200, ledger=ledger, blobs_mb=blobs_mb)
    uri = store or read_settings().store
    figures = list(measure_registry(uri, size, show=note))
    if as_json:
        answer_json({"store": uri, "figures": [vars(each) for each in figures]})
        return
    met = {True: "met", False: "MISSED", None: "-"}
    table(
        ("what", "measured", "unit", "goal", "is"),
        ((f.what, f"{f.value:,.2f}", f.unit, f.goal, met[f.is_met]) for f in figures),
    )
