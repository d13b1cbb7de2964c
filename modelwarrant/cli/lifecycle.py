"""Commands of the daily round: run, status, predict, report."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import (
    JsonOption,
    ProjectOption,
    StoreOption,
    VerboseOption,
    answer_json,
    note,
    out,
)

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("status")(status)
    app.command("predict")(predict)
    app.command("report")(report)


def run(
    project: ProjectOption = Path("warrant.yaml"),
    current: Annotated[
        str | None, typer.Option("--current", metavar="W", help="Window to train and decide on.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="W", help="First model: window to compare with."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="In a terminal, ask for the approval at once.")
    ] = True,
    store: StoreOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run one lifecycle: a candidate, both models re-scored, a verdict with its reasons.

    Exit code: 0 promoted, 10 needs approval, 11 hold, 12 rejected, 2 change the input, 75 later.
    """
    from modelwarrant.cli.running import EXITS, print_summary, run_lifecycle

    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    summary = run_lifecycle(
        project,
        current=current,
        reference=reference,
        store=store,
        ask=ask and is_terminal and not as_json,
        progress=not as_json or verbose,
    )
    if as_json:
        answer_json(summary.document())
    else:
        print_summary(summary)
    raise typer.Exit(EXITS[summary.ending])


def status(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="Default: every model.")
    ] = None,
    project: ProjectOption = Path("warrant.yaml"),
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is in production, since when, by whose decision; what waits; what is overdue."""
    from modelwarrant.cli.knowledge import model_status, models, open_place
    from modelwarrant.project import load

    place = open_place(store)
    told = load(project) if project.is_file() else None
    rows = [
        model_status(place, name, told if told is not None and told.model == name else None)
        for name in ([model] if model else models(place))
    ]
    if as_json:
        answer_json(rows[0] if model else {"models": rows})
        return
    if not rows:
        note("no model in this store yet: `warrant init DATA --target COLUMN`, then `warrant run`")
    for row in rows:
        _print_status(row)


def _print_status(row: dict[str, object]) -> None:
    console = out()
    console.print(str(row["model"]), style="bold", markup=False)
    for name, value in row.items():
        if name == "model":
            continue
        console.print(f"  {name.replace('_', ' ')}: {_in_words(value) or 'none'}", markup=False)


def _in_words(value: object) -> str:
    """Write what JSON would nest as one line."""
    if isinstance(value, dict):
        parts = {key: _in_words(item) for key, item in value.items()}
        return "; ".join(f"{key} {item}" for key, item in parts.items() if item)
    if isinstance(value, list):
        return ", ".join(_in_words(item) for item in value)
    return "" if value is None else str(value)


def predict(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    file: Annotated[str, typer.Argument(help="Rows to score: CSV, Parquet, or an address.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write .csv or .parquet; default: CSV to stdout."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a file with the production model."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.scoring import score_file

    scored = score_file(open_place(store), model, file)
    if as_json:
        answer_json(scored.document())
    elif output is not None:
        scored.save(output)
        note(f"wrote {len(scored):,} predictions of {model} version {scored.version} to {output}")
    else:
        scored.write_csv(sys.stdout)


def report(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A run, request, decision, MODEL or MODEL@V.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Copy the page here.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write or open the page of a run, decision, request or model."""
    from modelwarrant.cli.knowledge import open_place
    from modelwarrant.cli.pages import write_page

    page = write_page(open_place(store), name, output=output)
    if show:
        typer.launch(page.resolve().as_uri())
    if as_json:
        answer_json({"page": str(page)})
    else:
        out().print(str(page), markup=False)
