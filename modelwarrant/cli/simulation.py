"""Commands that make data: simulate."""

from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import JsonOption, answer_json, note, out

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate)


def simulate(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO",
            help="BASE/KIND[/SHAPE[/SIZE]], as in loans/concept/gradual/0.5; BASE is loans, sea, "
            "sine, friedman, rents or circuit, or table with --into.",
        ),
    ],
    to: Annotated[Path, typer.Argument(metavar="OUT", help="A .csv or .parquet file to write.")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="Length of the stream.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of every draw.")] = 0,
    onset: Annotated[float, typer.Option("--onset", help="Share before the shift.")] = 0.5,
    width: Annotated[
        float, typer.Option("--width", help="Share over which it comes, or stays each time.")
    ] = 0.25,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="DATA", help="Put the shift into these rows instead."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="With --into: the column to predict.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a stream whose shift is known, and its truth beside it as JSON."""
    from modelwarrant.cli.simulating import write_simulated, write_stream

    if (into is None) != (target is None):
        raise typer.BadParameter("--into and --target belong together")
    if into is not None and target is not None:
        written = write_stream(
            scenario, to, source=into, target=target, seed=seed, onset=onset, width=width
        )
    else:
        written = write_simulated(scenario, to, rows=rows, seed=seed, onset=onset, width=width)
    truth = written.truth
    if as_json:
        answer_json(truth.model_dump(mode="json"))
        return
    points = ", ".join(f"{row:,}" for row in truth.change_points) or "nowhere"
    out().print(f"{truth.scenario}: {truth.rows:,} rows, changes at {points}", markup=False)
    out().print(f"  {truth.about}", markup=False)
    note(f"wrote {to} and {written.truth_path}")
