"""The command that measures the detectors: benchmark drift."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwarrant.cli.options import JsonOption, answer_json, note, out
from modelwarrant.errors import PermanentError

if TYPE_CHECKING:
    from modelwarrant.cli.drift_tables import Alarms, Found

__all__ = ["drift"]

_ROOT = Path(__file__).resolve().parents[2]


def drift(
    false_alarms: Annotated[
        bool,
        typer.Option(
            "--false-alarms", help="Count false alarms and what is found, not seconds: 30 minutes."
        ),
    ] = False,
    share: Annotated[
        float, typer.Option("--share", min=0.001, max=1.0, help="Of the declared pairs.")
    ] = 1.0,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="FILE", help="Real rows to resample, too (again for more)."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes.", show_default="cores")
    ] = None,
    to: Annotated[Path, typer.Option("--out", help="Folder for the tables and the page.")] = Path(
        "benchmark-drift"
    ),
    as_json: JsonOption = False,
) -> None:
    """Measure the cost of the per-feature drift against one read of the data.

    That needs a source tree. With --false-alarms: pairs of windows without drift and with a known
    shift, as tables (Parquet) and a page (Markdown). The same command gives the same tables.
    """
    if false_alarms:
        _tables(share=share, sources=data or [], workers=workers, to=to, as_json=as_json)
        return
    program = _ROOT / "ci" / "benchmark_drift.py"
    if not program.exists():
        raise PermanentError(f"{program} is not there: run this in a checkout of the project")
    done = subprocess.run([sys.executable, str(program)], check=False)  # noqa: S603 - our own
    raise typer.Exit(done.returncode)


def _tables(
    *, share: float, sources: Sequence[str], workers: int | None, to: Path, as_json: bool
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from modelwarrant.cli.drift_tables import measure_alarms, measure_power

    alarms = measure_alarms(share=share, workers=workers, sources=sources, show=note)
    found = measure_power(share=share, workers=workers, show=note)
    to.mkdir(parents=True, exist_ok=True)
    page = _page(alarms, found, share)
    files = to / "false_alarms.parquet", to / "power.parquet", to / "index.md"
    tables = {
        "false_alarms": [asdict(row) for row in alarms],
        "power": [asdict(row) for row in found],
    }
    for path, rows in zip(files[:2], tables.values(), strict=True):
        pq.write_table(pa.Table.from_pylist(rows), path)
    files[2].write_text(page, encoding="utf-8")
    if as_json:
        answer_json(tables)
    else:
        out().print(page, markup=False)
    note(f"wrote {', '.join(map(str, files))}")


def _page(alarms: "Sequence[Alarms]", found: "Sequence[Found]", share: float) -> str:
    from modelwarrant.cli.drift_tables import pooled

    lines = [
        "# False alarms and power of the drift detectors",
        "",
        f"Written by `warrant benchmark drift --false-alarms`, with {share:.0%} of the declared "
        "pairs. Shares are of pairs of windows, with exact 95 % intervals (Clopper and Pearson).",
        "",
        "## Without any drift",
        "",
        "Both windows have one law. `columns`: features and gates; `report`: the level of the "
        "whole report, its classifier included. Below 500 rows no feature is judged, and gates "
        "alone can speak. Real rows are drawn with replacement. The goal is 1 % for `drift` and "
        "for `blocked` each.",
        "",
    ]
    for by in ("kind", "features", "rows"):
        heads = {"kind": "columns", "features": "features", "rows": "rows a window"}
        lines += _table((heads[by], "seen", "pairs", "drift", "blocked", "notice"))
        lines += [
            _row((f"{getattr(cell, by):,}" if by != "kind" else cell.kind, cell.seen, *_said(cell)))
            for cell in pooled(alarms, by=by)
        ]
        lines.append("")
    lines += [
        "## What is found",
        "",
        "One feature of fifty is shifted. `notice` counts notices and drift together; what a gate "
        "blocks is no drift found, but a fault.",
        "",
        *_table(
            ("shift", "rows a window", "pairs", "mean PSI", "drift", "notice or drift", "blocked")
        ),
        *(
            _row(
                (
                    cell.shift,
                    f"{cell.rows:,}",
                    f"{cell.pairs:,}",
                    f"{cell.psi:.3f}",
                    _share(cell.drift, cell.pairs),
                    _share(cell.notice, cell.pairs),
                    f"{cell.blocked}",
                )
            )
            for cell in found
        ),
        "",
        "## Every cell without drift",
        "",
        *_table(("columns", "features", "rows a window", "seen", "pairs", "drift", "blocked")),
        *(
            _row(
                (
                    cell.kind,
                    f"{cell.features}",
                    f"{cell.rows:,}",
                    cell.seen,
                    f"{cell.pairs}",
                    f"{cell.drift}",
                    f"{cell.blocked}",
                )
            )
            for cell in alarms
        ),
    ]
    return "\n".join(lines) + "\n"


def _said(cell: "Alarms") -> tuple[str, ...]:
    counts = (_share(count, cell.pairs) for count in (cell.drift, cell.blocked, cell.notice))
    return f"{cell.pairs:,}", *counts


def _share(count: int, pairs: int) -> str:
    from modelwarrant.cli.drift_tables import exact_interval

    low, high = exact_interval(count, pairs)
    return f"{count / pairs:.1%} [{low:.1%}, {high:.1%}]"


def _table(heads: tuple[str, ...]) -> list[str]:
    return [_row(heads), _row(("---",) * len(heads))]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
