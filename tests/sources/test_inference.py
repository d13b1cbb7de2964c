"""The guesses of a first project: kinds, ranges, task, classes, time and windows."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.errors import SchemaMismatchError, TargetError
from modelwarrant.sources import Inferred, infer
from modelwarrant.windows import Feature

ROWS = 400
RNG = np.random.default_rng(7)
NOISE = RNG.normal(size=ROWS)
HOURS = np.arange(ROWS) * 3_600_000_000


def guess(time: str | None = None, target: Any = None, **columns: Any) -> Inferred:
    """Guess a table of some columns beside one harmless feature and a target ``y``."""
    goal = NOISE if target is None else target
    return infer(pa.table({"noise": NOISE[::-1], **columns, "y": goal}), target="y", time=time)


def feature_of(column: Any) -> Feature | None:
    """Return what a column alone is guessed to be, None where it is left out."""
    inferred = guess(c=column)
    return next((f for f in inferred.schema.features if f.name == "c"), None)


def reason_of(column: Any, *, name: str = "c", **columns: Any) -> str:
    """Return why a column is left out."""
    inferred = guess(**{name: column}, **columns)
    return {item.name: item.reason for item in inferred.left_out}[name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RNG.normal(size=ROWS), None),
        (RNG.integers(0, 9, ROWS), (0.0, None)),
        (RNG.random(ROWS), (0.0, 1.0)),
        (RNG.random(ROWS) * 0.2, (0.0, None)),
        (RNG.integers(900, 1000, ROWS).astype(float), (0.0, None)),
    ],
)
def test_a_range_is_declared_only_where_it_will_hold(
    values: Any, expected: tuple[float, float | None] | None
) -> None:
    """No bound for what goes below 0, none above for what is no share."""
    assert Feature(name="c", kind="number", range=expected) == feature_of(values)


def test_whole_zeros_and_ones_are_truth_values() -> None:
    """A flag kept as 0 and 1 is a boolean."""
    assert Feature(name="c", kind="boolean") == feature_of(RNG.integers(0, 2, ROWS))


def test_few_levels_are_listed_and_many_are_not() -> None:
    """Twenty levels can be read by a person; a hundred are still a category."""
    few = RNG.choice([f"l{i:02}" for i in range(20)], ROWS)
    many = RNG.choice([f"l{i:02}" for i in range(100)], ROWS)

    assert tuple(f"l{i:02}" for i in range(20)) == getattr(feature_of(few), "categories", ())
    assert Feature(name="c", kind="category") == feature_of(many)


def test_missing_is_allowed_where_it_was_seen() -> None:
    """A column with a gap may have gaps; another may not."""
    gaps = [None if row % 10 == 0 else value for row, value in enumerate(RNG.normal(size=ROWS))]

    assert Feature(name="c", kind="number", missing=True) == feature_of(gaps)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (np.full(ROWS, 3.0), "one value only: 3"),
        (["a"] * ROWS, "one value only: 'a'"),
        ([None] * ROWS, "no row has a value"),
        (np.arange(ROWS), "counts the rows"),
        (np.arange(ROWS)[::-1] * 10, "counts the rows"),
        (RNG.permutation(ROWS), "another whole number in every row"),
        ([f"id-{row}" for row in range(ROWS)], "400 texts in 400 rows: an identifier"),
        ([f"{row % 30 + 1}/1/2013" for row in range(ROWS)], "dates, but not in ISO 8601"),
        (
            ["?" if row % 50 == 0 else str(row % 7) for row in range(ROWS)],
            r"8 rows hold text.*'\?'",
        ),
        ([[1.0]] * ROWS, "is list<"),
    ],
)
def test_a_column_that_tells_nothing_is_left_out(column: Any, reason: str) -> None:
    """Constants, counters, identifiers and broken columns are named with their reason."""
    assert re.search(reason, reason_of(column))


def test_an_identifier_is_known_by_its_name() -> None:
    """Whole numbers without repeats are amounts, unless the column is called an id."""
    values = RNG.choice(10**9, ROWS, replace=False)

    assert Feature(name="c", kind="number", range=(0.0, None)) == feature_of(values)
    assert "identifier" in reason_of(values, name="customer_id")


def test_a_column_that_only_grows_along_time_is_left_out() -> None:
    """A year grows with every window, so later windows lie outside what was learned."""
    at = pa.array(HOURS, pa.timestamp("us", tz="UTC"))

    assert "only grows along the data" in reason_of(np.arange(ROWS) // 100, at=at)


def test_an_order_without_time_is_no_reason() -> None:
    """Rows that happen to be sorted by a column keep it."""
    assert feature_of(np.arange(ROWS) // 100) is not None


def test_leading_zeros_stay_text() -> None:
    """Codes are levels with their zeros, and the note says so."""
    inferred = guess(c=[f"{row % 12:03}" for row in range(ROWS)])

    assert "category" == inferred.schema.feature("c").kind
    assert "leading zeros, so text" in inferred.features["c"]


def test_na_as_a_level_is_pointed_out() -> None:
    """A text NA is kept as a level, and a person is told."""
    inferred = guess(c=RNG.choice(["NA", "US"], ROWS))

    assert "'NA' is a level here" in inferred.features["c"]


@pytest.mark.parametrize(
    ("target", "task", "classes", "kind", "positive"),
    [
        (RNG.integers(0, 2, ROWS), "classification", ("0", "1"), "integer", "1"),
        (RNG.integers(1, 4, ROWS), "classification", ("1", "2", "3"), "integer", None),
        ((NOISE > 1).tolist(), "classification", ("false", "true"), "boolean", "true"),
        (RNG.choice(["no", "yes"], ROWS), "classification", ("no", "yes"), "text", "yes"),
        (np.where(NOISE > 1, "big", "small"), "classification", ("big", "small"), "text", "big"),
        (RNG.integers(0, 2, ROWS).astype(float), "classification", ("0", "1"), "integer", "1"),
        (RNG.integers(0, 100, ROWS), "regression", None, "text", None),
        (NOISE, "regression", None, "text", None),
    ],
)
def test_the_task_follows_from_the_target(
    target: Any, task: str, classes: tuple[str, ...] | None, kind: str, positive: str | None
) -> None:
    """Texts, truth values and few whole numbers are classes; the rest are quantities."""
    schema = guess(target=target).schema

    assert (task, classes, kind, positive) == (
        schema.task,
        schema.classes,
        schema.class_kind,
        schema.positive,
    )


def test_classes_are_ordered_by_size() -> None:
    """Ten comes after two."""
    target = RNG.choice([1, 2, 10], ROWS)

    assert ("1", "2", "10") == guess(target=target).schema.classes


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.zeros(ROWS), "holds one value only"),
        ([None] * ROWS, "no row has a value"),
        ([f"t{row}" for row in range(ROWS)], "holds 400 different texts"),
        (np.where(NOISE > 2, np.inf, NOISE), "infinite"),
        (pa.array(HOURS, pa.timestamp("us")), "it holds instants"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused(target: Any, message: str) -> None:
    """The message says what is wrong with the column."""
    with pytest.raises(TargetError, match=f"the target 'y' .*{message}"):
        guess(target=target)


def test_a_misspelt_target_is_answered_with_the_nearest_column() -> None:
    """The columns there are are listed."""
    with pytest.raises(TargetError, match=r"no target 'prise' \(did you mean 'price'\?\)"):
        infer(pa.table({"price": NOISE, "x": NOISE}), target="prise")


def test_the_finest_sorted_instant_is_the_time() -> None:
    """An hour orders the rows better than a day, and a birthday does not order them."""
    hour = pa.array(HOURS, pa.timestamp("us", tz="UTC"))
    day = pa.array(HOURS // 86_400_000_000 * 86_400_000_000, pa.timestamp("us", tz="UTC"))
    birth = pa.array(RNG.permutation(HOURS), pa.timestamp("us", tz="UTC"))

    inferred = guess(day=day, hour=hour, birth=birth)

    assert "hour" == inferred.schema.time
    assert {"day", "birth"} == {item.name for item in inferred.left_out}


def test_unsorted_instants_are_named_when_no_time_is_guessed() -> None:
    """A person sees which column could be the time."""
    inferred = guess(born=pa.array(RNG.permutation(HOURS), pa.timestamp("us")))

    assert inferred.schema.time is None
    assert "not sorted by 'born'" in inferred.notes["time"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("when", r"no time column 'when' \(did you mean 'then'\?\)"),
        ("text", "does not parse: it holds '1/2/2013'"),
        ("amount", "does not parse: it holds numbers such as"),
        ("gaps", "is empty in 1 rows"),
    ],
)
def test_a_named_time_that_is_none_is_refused(column: str, message: str) -> None:
    """A wrong name, another kind, a date that is not ISO 8601, and gaps."""
    gaps = pa.array([None, *HOURS[1:].tolist()], pa.timestamp("us"))
    then = pa.array(HOURS, pa.timestamp("us"))

    with pytest.raises(SchemaMismatchError, match=message):
        guess(time=column, then=then, text=["1/2/2013"] * ROWS, amount=NOISE + 1, gaps=gaps)


def test_no_feature_left_is_an_error_with_the_reasons() -> None:
    """A table of counters and constants has nothing to learn from."""
    with pytest.raises(
        SchemaMismatchError, match=r"no column is left to learn from.*counts the rows"
    ):
        infer(pa.table({"n": np.arange(ROWS), "y": NOISE}), target="y")


def test_features_alone_are_guessed_without_a_target() -> None:
    """Drift needs no target."""
    inferred = infer(pa.table({"a": NOISE, "b": RNG.choice(["u", "v"], ROWS)}), target=None)

    assert ("a", "b") == inferred.schema.names
    assert inferred.schema.task is None


def test_a_feature_that_is_constant_in_both_windows_is_pointed_out() -> None:
    """What changes only later cannot be learned from the first windows."""
    rows = 12_000
    noise = RNG.normal(size=rows)
    late = np.where(np.arange(rows) < 6_000, 1.5, noise)

    inferred = infer(pa.table({"a": noise, "late": late, "y": noise[::-1]}), target="y")

    assert inferred.features["late"].endswith("one value only in both windows")
    assert "one value" not in inferred.features["a"]


def test_rows_sorted_by_the_target_are_pointed_out() -> None:
    """Windows along sorted rows would hold different classes."""
    inferred = guess(target=np.repeat([0, 1], ROWS // 2))

    assert "the rows are sorted by 'y': shuffle them" in inferred.notes["windows"]


def test_too_few_rows_to_decide_are_pointed_out() -> None:
    """The file says that no verdict but HOLD can come of it."""
    assert "only 60 rows to judge by" in guess().notes["windows"]


def test_missing_targets_are_counted() -> None:
    """A person sees how many rows cannot train."""
    target = [None if row % 4 == 0 else value for row, value in enumerate(RNG.normal(size=ROWS))]

    assert guess(target=target).notes["target"].startswith("100 rows have none")
