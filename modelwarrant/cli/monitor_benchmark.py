"""The command ``warrant benchmark monitoring``."""

from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.options import JsonOption, answer_json, note, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwarrant.cli.season_benchmark import SeasonResults

__all__ = ["monitoring"]


def monitoring(
    seasons: Annotated[
        int, typer.Option("--seasons", min=1, help="Simulated seasons of each kind.")
    ] = 300,
    predictions: Annotated[
        int, typer.Option("--predictions", min=1, help="Logged predictions of a pass.")
    ] = 1_000_000,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes.", show_default="cores")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play seasons with the monitor, a timer and an error threshold; time a pass."""
    from modelwarrant.cli.monitor_scale import measure_passes
    from modelwarrant.cli.season_benchmark import measure_seasons

    results = measure_seasons(seasons, workers=workers, show=note)
    passes = list(measure_passes(predictions, show=note))
    if as_json:
        answer_json({**results.document(), "passes": [vars(each) for each in passes]})
        return
    met = {True: "met", False: "MISSED"}
    table(
        ("what", "share", "95 % interval", "goal", "is"),
        (
            (f.what, f"{f.share:.1%}", f"{f.lower:.1%} to {f.upper:.1%}", f.goal, met[f.is_met])
            for f in results.figures
        ),
    )
    table(("season", "rule", "retrained", "times", "in time", "labels", "excess"), _rows(results))
    note("retrained: share of seasons; excess: mean loss beyond the true rule's, mnat")
    table(
        ("what", "measured", "unit", "goal", "is"),
        ((f.what, f"{f.value:,.2f}", f.unit, f.goal, met[bool(f.is_met)]) for f in passes),
    )


def _rows(results: "SeasonResults") -> "Iterator[tuple[str, ...]]":
    for row in results.rows:
        in_time = "-" if row.in_time is None else f"{row.in_time:.1%}"
        yield (
            row.season,
            row.rule,
            f"{row.retrained:.1%}",
            f"{row.retrainings:.2f}",
            in_time,
            f"{row.labels:,.0f}",
            f"{row.excess:.1f}",
        )
