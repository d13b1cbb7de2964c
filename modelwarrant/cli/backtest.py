"""The command that asks what would have happened: backtest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.options import (
    JsonOption,
    ProjectOption,
    StoreOption,
    answer_json,
    note,
    out,
    table,
)

if TYPE_CHECKING:
    from modelwarrant.records import HistoryReport, HistoryWindow

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    project: ProjectOption = Path("warrant.yaml"),
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="W", help="Length of a window: 28d, or rows: 2000."),
    ] = None,
    label_delay: Annotated[
        str | None,
        typer.Option("--label-delay", metavar="D", help="How long a label takes: 7d, or rows."),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="R", help="Compare with this rule, too (again for more)."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes.", show_default="cores")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the page here, too.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay the project's history: what would have been decided, and what would it have cost?

    Every window in turn, against never, periodic, metric-only, always and an oracle. What the
    policy leaves to a person is approved always, and never. A backtest that was ended goes on.
    """
    from modelwarrant.cli.backtesting import run_history

    report, page = run_history(
        project,
        window=window,
        label_delay=label_delay,
        rules=rules or [],
        workers=workers,
        store=store,
        output=output,
        show=note,
    )
    if as_json:
        answer_json({**report.model_dump(mode="json"), "page": str(page)})
    else:
        _print(report)
        out().print(f"page: {page}", markup=False)


def _print(report: "HistoryReport") -> None:
    console = out()
    console.print(
        f"{report.model}: {len(report.windows)} decisions, windows of {report.window}",
        style="bold",
        markup=False,
    )
    for remark in report.remarks:
        console.print(f"  {remark}", markup=False)
    if report.smallest_gain is not None:
        console.print(
            f"  one window shows a gain of {report.smallest_gain:.1%} of the loss or more",
            markup=False,
        )
    table(
        ("window", "drift", "verdict", "row", ""),
        (
            (
                each.bounds.replace("..", " "),
                each.drift if each.season != "seasonal" else f"{each.drift}, seasonal",
                each.verdict or "",
                each.rule or "",
                _done(each),
            )
            for each in report.windows
        ),
    )
    console.print("T: trained, P: promoted", style="dim", markup=False)
    table(
        ("rule", "loss", "trained", "promoted", "asked", "cost", "of best"),
        (
            (
                each.rule,
                f"{each.loss:.4g}",
                each.trainings,
                each.promotions,
                each.reviews,
                f"{each.cost:,.0f}",
                "" if each.cost_ratio is None else f"{each.cost_ratio:.3f}",
            )
            for each in report.totals
        ),
    )


def _done(window: "HistoryWindow") -> str:
    done = [word for word, is_so in (("T", window.trained), ("P", window.promoted)) if is_so]
    return " ".join(done)
