"""What breaks a window's contract, and what is only worth knowing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.contract import MIN_LABELLED_ROWS, check
from modelwarrant.errors import ContractError, DataError, TargetError, WindowError
from modelwarrant.records import ValidationReport, WindowRef
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window, window_digest

ROWS = 100
CLASSES = FeatureSchema(
    features=(
        Feature(name="price", kind="number", range=(0.0, 10.0)),
        Feature(name="plan", kind="category", categories=("a", "b")),
        Feature(name="is_new", kind="boolean"),
    ),
    task="classification",
    target="y",
    classes=("no", "yes"),
    time="at",
)
AMOUNTS = FeatureSchema(
    features=(Feature(name="price", kind="number", missing=True),), task="regression", target="y"
)

Make = Callable[..., tuple[Window, WindowRef]]


def good() -> dict[str, list[Any]]:
    """A hundred rows that keep the contract of ``CLASSES``, an hour each."""
    return {
        "at": [f"2013-01-0{1 + row // 24}T{row % 24:02}:00:00" for row in range(ROWS)],
        "price": [row / 10 for row in range(ROWS)],
        "plan": ["ab"[row % 2] for row in range(ROWS)],
        "is_new": [row % 3 == 0 for row in range(ROWS)],
        "y": ["yes" if row % 4 == 0 else "no" for row in range(ROWS)],
    }


def window_of(
    columns: dict[str, list[Any]], schema: FeatureSchema = CLASSES, **ref: Any
) -> tuple[Window, WindowRef]:
    """Make a window and its reference."""
    window = typed_window(pa.table(columns), schema)
    return window, WindowRef(
        source="rows.csv",
        bounds="A..B",
        rows=len(window),
        window_digest=window_digest(window),
        schema_digest=schema.digest,
        final=0.3,
        **ref,
    )


def changed(column: str, rows: dict[int, Any]) -> dict[str, list[Any]]:
    """Return the good rows with some values of one column changed."""
    columns = good()
    for row, value in rows.items():
        columns[column][row] = value
    return columns


def refusal(
    columns: dict[str, list[Any]], kind: type[DataError], schema: FeatureSchema = CLASSES
) -> str:
    """Return what the refusal says."""
    with pytest.raises(kind) as caught:
        check(*window_of(columns, schema))
    return str(caught.value)


def findings(report: ValidationReport) -> dict[tuple[str | None, str], int]:
    """Return the findings' rows by column and kind."""
    return {(item.column, item.finding): item.rows for item in report.findings}


def test_a_good_window_has_no_findings() -> None:
    """The report names the window, its rows and its labels."""
    window, ref = window_of(good())

    report = check(window, ref)

    assert (ref.window_digest, ROWS, ROWS, ()) == (
        report.window_digest,
        report.rows,
        report.labelled_rows,
        report.findings,
    )


@pytest.mark.parametrize(
    ("column", "rows", "message"),
    [
        ("price", {5: None, 9: None}, "'price': 2 rows are missing, which it may not be"),
        ("plan", {5: None}, "'plan': 1 row is missing"),
        ("is_new", {5: None}, "'is_new': 1 row is missing"),
        ("price", {5: float("inf"), 6: -float("inf")}, "'price': 2 rows are infinite"),
        ("price", {5: -1.0, 6: -3.0}, "'price': 2 rows are below 0 (as far as -3)"),
        ("price", {5: 11.0}, "'price': 1 row is above 10 (as far as 11)"),
    ],
)
def test_a_broken_value_is_named_by_column_rows_and_first_row(
    column: str, rows: dict[int, Any], message: str
) -> None:
    """Missing, infinite and out-of-range values say how many and where the first is."""
    text = refusal(changed(column, rows), ContractError)

    assert message in text
    assert "(first: 2013-01-01T05:00:00Z)" in text
    assert text.startswith("window A..B of rows.csv, 100 rows:")


def test_bounds_themselves_are_inside() -> None:
    """Ranges are closed."""
    check(*window_of(changed("price", {0: 0.0, 1: 10.0})))


def test_an_open_bound_bounds_nothing() -> None:
    """Null is no bound."""
    schema = CLASSES.model_copy(
        update={"features": (Feature(name="price", kind="number", range=(None, 10.0)),)}
    )

    check(*window_of(changed("price", {0: -1e300}), schema))


def test_everything_broken_is_named_at_once() -> None:
    """One refusal lists every column, the target too; values come before the target."""
    columns = changed("price", {1: None, 2: 99.0})
    columns["plan"][3] = None
    columns["y"] = ["no"] * ROWS

    text = refusal(columns, ContractError)

    assert 5 == len(text.splitlines())
    for part in ("'price': 1 row is missing", "above 10", "'plan'", "one class only, 'no'"):
        assert part in text


def test_a_row_number_names_the_row_where_there_is_no_time() -> None:
    """Without a time column the row's number in the source is given."""
    schema = CLASSES.model_copy(update={"time": None})

    assert "(first: row 7)" in refusal(changed("price", {7: None}), ContractError, schema)


def test_an_absent_target_is_named() -> None:
    """A window to train on needs its target."""
    columns = good()
    del columns["y"]

    assert "the target 'y' is not in the data" in refusal(columns, TargetError)


@pytest.mark.parametrize(
    ("target", "schema", "message"),
    [
        ([None] * ROWS, CLASSES, "missing in every row"),
        (["yes"] * ROWS, CLASSES, "holds one class only, 'yes'"),
        (
            ["yes", "maybe", "no", "maybe"] * 25,
            CLASSES,
            "1 label(s) that are no class: 'maybe' (50 rows)",
        ),
        ([None] * ROWS, AMOUNTS, "missing in every row"),
        ([3.5] * ROWS, AMOUNTS, "is 3.5 in every row"),
        ([1.0, float("inf")] * 50, AMOUNTS, "infinite in 50 rows (first: row 1)"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(
    target: list[Any], schema: FeatureSchema, message: str
) -> None:
    """Absent labels, one class, unknown classes, constants and infinity each have a sentence."""
    assert message in refusal({**good(), "y": target}, TargetError, schema)


def test_many_unknown_labels_are_counted_and_the_commonest_listed() -> None:
    """A misread target does not flood the message."""
    labels = [f"l{row % 30:02}" for row in range(ROWS)]

    text = refusal({**good(), "y": labels}, TargetError)

    assert "30 label(s) that are no class: 'l00' (4 rows)" in text
    assert "…" in text


@pytest.mark.parametrize("labelled", [2, MIN_LABELLED_ROWS - 1])
def test_fewer_labelled_rows_than_the_floor_are_refused(labelled: int) -> None:
    """Rows without a target do not count."""
    columns = good()
    columns["y"][labelled:] = [None] * (ROWS - labelled)
    columns["y"][:2] = ["yes", "no"]

    text = refusal(columns, WindowError)

    assert f"only {labelled} rows have a target 'y', of at least {MIN_LABELLED_ROWS} needed" in text


def test_the_floor_is_enough() -> None:
    """Exactly the floor is accepted."""
    columns = good()
    columns["y"][MIN_LABELLED_ROWS:] = [None] * (ROWS - MIN_LABELLED_ROWS)

    assert MIN_LABELLED_ROWS == check(*window_of(columns)).labelled_rows


def test_missing_targets_are_a_finding() -> None:
    """Rows without a label stay in the window, and the report counts them."""
    report = check(*window_of(changed("y", {1: None, 2: None})))

    assert {("y", "missing_target"): 2} == findings(report)
    assert (ROWS, ROWS - 2) == (report.rows, report.labelled_rows)


def test_duplicate_rows_are_a_finding() -> None:
    """A row that repeats another in every column, time included, is counted and kept."""
    columns = {name: [*values, values[0], values[0]] for name, values in good().items()}

    assert {(None, "duplicate_rows"): 2} == findings(check(*window_of(columns)))


def test_rows_out_of_order_are_a_finding() -> None:
    """What the reader sorted is told."""
    window, ref = window_of(good(), out_of_order=3)

    assert {("at", "out_of_order"): 3} == findings(check(window, ref))


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [("price", 5.0, "5"), ("plan", "a", "'a'"), ("is_new", True, "'true'")],
)
def test_a_constant_feature_is_a_finding(column: str, value: Any, shown: str) -> None:
    """A column that tells nothing in this window does not stop a run: seasons do that."""
    report = check(*window_of({**good(), column: [value] * ROWS}))

    assert {(column, "constant"): ROWS} == findings(report)
    assert f"all hold {shown};" in report.findings[0].detail


def test_levels_that_are_not_declared_are_a_finding() -> None:
    """A new level is drift, not a broken contract."""
    report = check(*window_of(changed("plan", {1: "c", 2: "d", 3: "c"})))

    assert {("plan", "unseen_levels"): 3} == findings(report)
    assert "'c' (2 rows), 'd' (1 rows)" in report.findings[0].detail


def test_columns_left_out_are_a_finding() -> None:
    """A column that appeared in the data is named."""
    window, ref = window_of(good(), ignored_columns=("new",))

    assert {("new", "ignored_column"): ROWS} == findings(check(window, ref))


def test_a_window_for_drift_alone_needs_no_target() -> None:
    """Without a task only the features are held against the contract."""
    schema = FeatureSchema(features=CLASSES.features)
    columns = {name: values[:3] for name, values in good().items() if name != "y"}

    report = check(*window_of(columns, schema))

    assert (3, 0) == (report.rows, report.labelled_rows)


def test_missing_values_are_kept_where_they_are_allowed() -> None:
    """A feature that may be missing breaks nothing, even in most rows."""
    columns = {"price": [None] * 60 + list(range(40)), "y": list(np.arange(ROWS) / 7)}

    assert () == check(*window_of(columns, AMOUNTS)).findings
