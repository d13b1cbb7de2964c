"""What would a first project file say of this data?

Every answer is a guess from the values, with its reason, for a person to correct. Guesses lean to
the side that fails loudly: what gives the target away is left out, and what was never missing may
not be.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.errors import SchemaMismatchError, TargetError
from modelwarrant.sources.columns import Column, described
from modelwarrant.sources.guesses import Guess, feature_guess
from modelwarrant.sources.leaks import giveaways
from modelwarrant.sources.spans import FINAL, MIN_FINAL_ROWS, Spans, row_spans, time_spans
from modelwarrant.windows import Bounds, Feature, FeatureSchema, Task, label_text

__all__ = ["Inferred", "LeftOut", "infer"]

MAX_WHOLE_CLASSES: Final = 10
"""Distinct whole numbers up to which a target is taken for classes: digits have ten."""
MAX_CLASSES: Final = 50
"""Text labels above which a target is more likely the wrong column."""
_SORTED_SHARE: Final = 0.99
"""Share of neighbouring rows in order from which an instant is the rows' time."""
_POSITIVE: Final = ("1", "true", "yes", "y", "positive", "pos", "t")
_TIME_NAMES: Final = re.compile(
    r"^(timestamp|time|datetime|date|ts|event_time|created(_at)?)$", re.I
)


@dataclass(frozen=True)
class LeftOut:
    """A column that no feature is made of."""

    name: str
    reason: str
    feature: Feature | None
    """How it would be declared; None where no kind fits."""
    is_leak: bool = False
    """Whether it gives the target away."""


@dataclass(frozen=True)
class Inferred:
    """The guesses, each with what it rests on."""

    schema: FeatureSchema
    rows: int
    notes: Mapping[str, str]
    """Reasons by key of the project file: task, target, classes, positive, time, windows."""
    features: Mapping[str, str]
    """What was seen in each feature."""
    left_out: tuple[LeftOut, ...]
    reference: Bounds
    current: Bounds
    final: float
    season: timedelta | None


def infer(table: pa.Table, *, target: str | None, time: str | None = None) -> Inferred:
    """Guess schema and windows.

    Args:
        table: as ``read_table`` gives it.
        target: the column to predict; None guesses features for drift alone.
        time: the column to cut windows along; None guesses.

    Raises:
        TargetError: no such column, or nothing that can be predicted.
        SchemaMismatchError: the time column is absent or no time, or no feature is left.
    """
    columns = {name: described(name, table.column(name)) for name in table.column_names}
    goal = None if target is None else _target(columns, target)
    when, when_note = _time(columns, time, target)
    sequence = np.arange(table.num_rows, dtype=np.int64)
    if when is not None:
        sequence = np.argsort(when.numbers, kind="stable")
    guesses = {
        name: feature_guess(column, sequence=sequence, along_time=when is not None)
        for name, column in columns.items()
        if name != target and (when is None or name != when.name)
    }
    task, labels = (None, {}) if goal is None else _labels(goal)
    notes, left_out, kept = _sorted_out(columns, guesses, goal, task)
    spans = _spans(goal, when, sequence)
    rows = _rows_of(spans, when, sequence)
    for name in notes:
        if len(np.unique(columns[name].take(rows).known)) == 1:
            notes[name] += "; one value only in both windows"
    schema = FeatureSchema(
        features=tuple(kept),
        task=task,
        target=target,
        time=None if when is None else when.name,
        **labels,
    )
    return Inferred(
        schema=schema,
        rows=table.num_rows,
        notes={
            **_target_notes(goal, schema),
            "time": when_note,
            "windows": _window_note(spans, goal, when),
        },
        features=notes,
        left_out=tuple(left_out),
        reference=spans.reference,
        current=spans.current,
        final=FINAL,
        season=spans.season,
    )


def _target(columns: Mapping[str, Column], name: str) -> Column:
    if name not in columns:
        near = get_close_matches(name, columns, n=1)
        raise TargetError(
            f"the data has no target {name!r}"
            + (f" (did you mean {near[0]!r}?)" if near else "")
            + f"; it has {', '.join(columns)}"
        )
    column = columns[name]
    if column.kind is None or column.kind == "time":
        raise TargetError(
            f"the target {name!r} cannot be predicted: {column.reason or 'it holds instants'}"
        )
    distinct = len(column.levels) if column.kind == "category" else len(np.unique(column.known))
    if distinct < 2:
        raise TargetError(f"the target {name!r} holds one value only; there is nothing to learn")
    if column.kind == "category" and distinct > MAX_CLASSES:
        raise TargetError(
            f"the target {name!r} holds {distinct:,} different texts; at most {MAX_CLASSES} can "
            "be classes. Is it the right column?"
        )
    if np.isinf(column.numbers).any():
        raise TargetError(f"the target {name!r} holds infinite values; correct the data")
    return column


def _labels(target: Column) -> tuple[Task, dict[str, object]]:
    """Return the task, and for classification the classes, their kind and the positive one."""
    kind: Literal["text", "integer", "boolean"] = "text"
    if target.kind == "category":
        classes = target.levels
    else:
        distinct = np.unique(target.known)
        if target.kind == "number" and not (target.is_whole and len(distinct) <= MAX_WHOLE_CLASSES):
            return "regression", {}
        kind = "integer" if target.kind == "number" else "boolean"
        labels = distinct.astype(bool) if kind == "boolean" else distinct
        classes = tuple(label_text(value) for value in labels.tolist())
    positive = _positive(target, classes) if len(classes) == 2 else None
    return "classification", {"classes": classes, "class_kind": kind, "positive": positive}


def _positive(target: Column, classes: Sequence[str]) -> str:
    """Return the label that says yes, else the rarer one."""
    for label in classes:
        if label.lower() in _POSITIVE:
            return label
    if target.kind == "category":
        counts = [int(np.count_nonzero(target.codes == code)) for code in range(2)]
    else:
        low, high = np.unique(target.known)
        counts = [int(np.count_nonzero(target.numbers == value)) for value in (low, high)]
    return classes[1] if counts[1] <= counts[0] else classes[0]


def _time(
    columns: Mapping[str, Column], name: str | None, target: str | None
) -> tuple[Column | None, str]:
    """Return the column that orders the rows, if there is one, and why."""
    if name is not None:
        return _named_time(columns, name), "named by you"
    instants = [
        column
        for column in columns.values()
        if column.kind == "time" and column.name != target and not column.missing
    ]
    ordered = [c for c in instants if _is_sorted(c.numbers) or _TIME_NAMES.match(c.name)]
    if not ordered:
        found = ", ".join(repr(column.name) for column in instants)
        return None, (
            f"not sorted by {found}: windows count rows"
            if found
            else "no column of ISO 8601 instants: windows count rows"
        )
    best = max(
        ordered, key=lambda column: (_is_sorted(column.numbers), len(np.unique(column.numbers)))
    )
    return best, "the rows are sorted by it" if _is_sorted(best.numbers) else "by its name"


def _named_time(columns: Mapping[str, Column], name: str) -> Column:
    if name not in columns:
        near = get_close_matches(name, columns, n=1)
        raise SchemaMismatchError(
            f"the data has no time column {name!r}"
            + (f" (did you mean {near[0]!r}?)" if near else "")
            + f"; it has {', '.join(columns)}"
        )
    column = columns[name]
    if column.kind != "time":
        raise SchemaMismatchError(
            f"the time column {name!r} does not parse: {_example(column)}; "
            "instants are ISO 8601, such as 2013-01-31 or 2013-01-31T06:00:00Z"
        )
    if column.missing:
        raise SchemaMismatchError(f"the time column {name!r} is empty in {column.missing:,} rows")
    return column


def _example(column: Column) -> str:
    if column.kind == "category":
        return f"it holds {column.levels[0]!r}"
    return column.reason or f"it holds {column.kind}s such as {column.known[0]:g}"


def _is_sorted(values: npt.NDArray[np.float64]) -> bool:
    return len(values) < 2 or float((np.diff(values) >= 0).mean()) >= _SORTED_SHARE


def _sorted_out(
    columns: Mapping[str, Column],
    guesses: Mapping[str, Guess],
    target: Column | None,
    task: Task | None,
) -> tuple[dict[str, str], list[LeftOut], list[Feature]]:
    """Return the notes of the features, the columns left out, and the features."""
    candidates = [columns[name] for name, guess in guesses.items() if not guess.is_left_out]
    told = {} if target is None or task is None else giveaways(candidates, target, task)
    notes: dict[str, str] = {}
    left_out, kept = [], []
    for name, guess in guesses.items():
        giveaway = told.get(name)
        if guess.is_left_out:
            left_out.append(LeftOut(name, guess.note, guess.feature))
        elif giveaway is not None and giveaway.is_leak:
            left_out.append(LeftOut(name, giveaway.reason, guess.feature, is_leak=True))
        elif guess.feature is not None:
            kept.append(guess.feature)
            suspicion = f"{giveaway.reason}: known beforehand?" if giveaway else ""
            notes[name] = "; ".join(part for part in (guess.note, suspicion) if part)
    if not kept:
        reasons = "; ".join(f"{item.name!r}: {item.reason}" for item in left_out[:10])
        raise SchemaMismatchError(f"no column is left to learn from ({reasons or 'there is none'})")
    return notes, left_out, kept


def _spans(target: Column | None, when: Column | None, sequence: npt.NDArray[np.int64]) -> Spans:
    if when is None:
        return row_spans(len(sequence))
    known = np.ones(len(sequence), dtype=np.bool_)
    if target is not None:
        known = target.codes >= 0 if target.kind == "category" else ~np.isnan(target.numbers)
    instants = np.round(when.numbers[sequence] * 1e6).astype(np.int64)
    return time_spans(instants, labelled=known[sequence])


def _rows_of(
    spans: Spans, when: Column | None, sequence: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the rows of both windows, which follow each other."""
    start, end = spans.reference.start, spans.current.end
    if when is None:
        return sequence[start:end]
    order = np.round(when.numbers * 1e6).astype(np.int64)
    return np.flatnonzero((order >= (start or 0)) & (order < (end or 0)))


def _target_notes(target: Column | None, schema: FeatureSchema) -> dict[str, str]:
    if target is None:
        return {}
    distinct = len(target.levels) if target.kind == "category" else len(np.unique(target.known))
    notes = {"task": f"{schema.target!r} holds {distinct:,} different values"}
    if schema.class_kind == "integer" and distinct > 2:
        notes["task"] += ", all whole: write regression if they are amounts"
    if schema.task == "regression":
        notes["task"] += f", {target.known.min():g} to {target.known.max():g}"
    if target.missing:
        notes["target"] = f"{target.missing:,} rows have none; they count for drift alone"
    if schema.positive is not None:
        notes["positive"] = "the score is the probability of this class" + (
            "" if schema.positive.lower() in _POSITIVE else "; guessed, as the rarer of the two"
        )
    return notes


def _window_note(spans: Spans, target: Column | None, when: Column | None) -> str:
    note = spans.reason
    if spans.final_rows < MIN_FINAL_ROWS:
        note += (
            f"; only {spans.final_rows:,} rows to judge by: below {MIN_FINAL_ROWS} the verdict is "
            "HOLD, so use longer windows once there is more data"
        )
    if when is None and target is not None and _is_sorted_by(target):
        note += (
            f"; the rows are sorted by {target.name!r}: shuffle them once, "
            "or the windows hold different values"
        )
    return note


def _is_sorted_by(target: Column) -> bool:
    known = target.known
    steps = np.diff(known)
    return bool((steps >= 0).all() or (steps <= 0).all())
