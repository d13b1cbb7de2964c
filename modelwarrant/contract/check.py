"""Does a window keep its contract, and what should a person know of it?

What breaks it is named at once, column by column, with the rows and the first of them. What does
not is a finding, with what is done about it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import ContractError, DataError, TargetError, WindowError
from modelwarrant.records import ValidationReport, WindowRef
from modelwarrant.records.window import ColumnFinding
from modelwarrant.windows import Feature, Window, count_duplicates

__all__ = ["MIN_LABELLED_ROWS", "check"]

MIN_LABELLED_ROWS: Final = 50
"""Labelled rows below which a window is refused: a final share of 0.3 would hold fewer than 15,
on which no interval and no parity check says anything. Far more are needed to promote; that is the
policy's business, which holds and names the missing count."""

_SHOWN: Final = 5
"""Labels or levels that a message lists."""
_FindingKind = Literal[
    "missing_target",
    "duplicate_rows",
    "out_of_order",
    "constant",
    "ignored_column",
    "unseen_levels",
]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Breach:
    """One sentence on what breaks the contract."""

    kind: type[DataError]
    text: str


def check(window: Window, ref: WindowRef) -> ValidationReport:
    """Hold a window against its schema.

    Args:
        window: typed rows; a schema without a task is checked without a target.
        ref: where they came from.

    Returns:
        The findings: duplicates, late rows, missing targets, constants, unseen levels, columns left
        out. None of them stops a run.

    Raises:
        ContractError: missing or infinite values, or values outside the declared range.
        TargetError: the target is absent, empty, infinite, constant, or holds an unknown class.
        WindowError: fewer labelled rows than ``MIN_LABELLED_ROWS``.
    """
    breaches = [breach for f in window.schema.features for breach in _feature(window, f)]
    if window.schema.task is not None:
        breaches += _target(window)
    if breaches:
        kinds = {breach.kind for breach in breaches}
        kind = next(k for k in (ContractError, TargetError, WindowError) if k in kinds)
        where = f"window {ref.bounds} of {ref.source}, {len(window):,} rows"
        raise kind("\n  ".join([f"{where}:", *(breach.text for breach in breaches)]))
    return ValidationReport(
        window_digest=ref.window_digest,
        rows=len(window),
        labelled_rows=int(np.count_nonzero(_labelled(window))),
        findings=tuple(_findings(window, ref)),
    )


def _feature(window: Window, feature: Feature) -> Iterator[_Breach]:
    """Yield what is wrong with one feature."""
    missing = np.asarray(window.table.column(feature.name).is_null())
    if missing.any() and not feature.missing:
        yield _breach(
            window, feature.name, missing, "missing, which it may not be; say missing: true"
        )
    if feature.kind != "number":
        return
    values = window.numbers(feature.name)
    infinite = np.isinf(values)
    if infinite.any():
        yield _breach(window, feature.name, infinite, "infinite; no model reads them")
    low, high = feature.range or (None, None)
    for bound, outside, word in (
        (low, values < (-np.inf if low is None else low), "below"),
        (high, values > (np.inf if high is None else high), "above"),
    ):
        outside &= ~infinite
        if outside.any():
            worst = values[outside].min() if word == "below" else values[outside].max()
            what = f"{word} {bound:g} (as far as {worst:g}); widen its range if that is right"
            yield _breach(window, feature.name, outside, what)


def _breach(window: Window, name: str, rows: npt.NDArray[np.bool_], what: str) -> _Breach:
    first = int(np.flatnonzero(rows)[0])
    count = int(np.count_nonzero(rows))
    noun = "row is" if count == 1 else "rows are"
    return _Breach(
        ContractError, f"column {name!r}: {count:,} {noun} {what} (first: {_place(window, first)})"
    )


def _place(window: Window, row: int) -> str:
    """Return where a row stands: its time, else its number in the source."""
    order = int(window.order[row])
    if window.schema.time is None:
        return f"row {order}"
    return (_EPOCH + timedelta(microseconds=order)).isoformat().replace("+00:00", "Z")


def _target(window: Window) -> Iterator[_Breach]:
    """Yield what is wrong with the target."""
    name = window.schema.target
    if name is None or not window.has_target:
        yield _Breach(TargetError, f"the target {name!r} is not in the data")
        return
    labelled = int(np.count_nonzero(_labelled(window)))
    if not labelled:
        yield _Breach(TargetError, f"the target {name!r} is missing in every row")
        return
    if window.schema.task == "classification":
        yield from _classes(window, name)
    else:
        yield from _values(window, name)
    if labelled < MIN_LABELLED_ROWS:
        yield _Breach(
            WindowError,
            f"only {labelled} rows have a target {name!r}, of at least {MIN_LABELLED_ROWS} needed; "
            "use a longer window",
        )


def _classes(window: Window, name: str) -> Iterator[_Breach]:
    counts, _ = window.level_counts(name)
    known = window.schema.classes or tuple(counts)
    unknown = {label: rows for label, rows in counts.items() if label not in known}
    if unknown:
        yield _Breach(
            TargetError,
            f"the target {name!r} holds {len(unknown)} label(s) that are no class: "
            f"{_listed(unknown)}; the classes are {', '.join(known)}. Correct the data, or list "
            "them in the project file",
        )
    seen = [label for label in counts if label in known]
    if len(seen) == 1:
        yield _Breach(
            TargetError,
            f"the target {name!r} holds one class only, {seen[0]!r}; there is nothing to learn: "
            "use a longer window",
        )


def _values(window: Window, name: str) -> Iterator[_Breach]:
    values = window.numbers(name)
    infinite = np.isinf(values)
    if infinite.any():
        rows = int(np.count_nonzero(infinite))
        first = _place(window, int(np.flatnonzero(infinite)[0]))
        yield _Breach(
            TargetError, f"the target {name!r} is infinite in {rows:,} rows (first: {first})"
        )
    known = values[np.isfinite(values)]
    if len(known) and (known == known[0]).all():
        yield _Breach(
            TargetError,
            f"the target {name!r} is {known[0]:g} in every row; there is nothing to learn: "
            "use a longer window",
        )


def _findings(window: Window, ref: WindowRef) -> Iterator[ColumnFinding]:
    """Yield what is worth knowing, and what is done about it."""
    if ref.out_of_order:
        yield _finding(
            window.schema.time,
            "out_of_order",
            ref.out_of_order,
            "rows lay behind a newer one; they were sorted by time",
        )
    if duplicates := count_duplicates(window):
        yield _finding(
            None, "duplicate_rows", duplicates, "rows repeat another in every column; they are kept"
        )
    unlabelled = len(window) - int(np.count_nonzero(_labelled(window)))
    if window.schema.task is not None and unlabelled:
        yield _finding(
            window.schema.target,
            "missing_target",
            unlabelled,
            "rows have no target; they count for drift, and neither train nor judge",
        )
    for feature in window.schema.features:
        yield from _feature_findings(window, feature)
    for name in ref.ignored_columns:
        yield ColumnFinding(
            column=name,
            finding="ignored_column",
            rows=ref.rows,
            detail="the project file does not name it; it was not read",
        )


def _feature_findings(window: Window, feature: Feature) -> Iterator[ColumnFinding]:
    if feature.kind in ("number", "time"):
        values = window.numbers(feature.name)
        known = values[~np.isnan(values)]
        if len(known) and known.min() == known.max():
            shown = f"{known[0]:g}" if feature.kind == "number" else "one instant"
            yield _constant(feature.name, len(known), shown)
        return
    counts, _ = window.level_counts(feature.name)
    if len(counts) == 1:
        level, rows = next(iter(counts.items()))
        yield _constant(feature.name, rows, repr(level))
    if feature.categories is not None:
        unseen = {level: n for level, n in counts.items() if level not in feature.categories}
        if unseen:
            yield _finding(
                feature.name,
                "unseen_levels",
                sum(unseen.values()),
                f"rows hold {len(unseen)} level(s) that are not declared: {_listed(unseen)}; a "
                "model answers as for a rare level",
            )


def _constant(name: str, rows: int, shown: str) -> ColumnFinding:
    return _finding(name, "constant", rows, f"rows all hold {shown}; the column tells nothing here")


def _finding(column: str | None, finding: _FindingKind, rows: int, detail: str) -> ColumnFinding:
    return ColumnFinding(column=column, finding=finding, rows=rows, detail=f"{rows:,} {detail}")


def _labelled(window: Window) -> npt.NDArray[np.bool_]:
    """Return which rows have a target; none where there is no target column."""
    if not window.has_target:
        return np.zeros(len(window), dtype=np.bool_)
    return ~np.asarray(window.table.column(window.schema.target).is_null())


def _listed(counts: dict[str, int]) -> str:
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    text = ", ".join(f"{label!r} ({rows:,} rows)" for label, rows in shown)
    return text + (" …" if len(counts) > _SHOWN else "")
