"""Rows reach the model as the schema says, or are refused by column and row."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.bundle import (
    Bundle,
    check_rows,
    encode,
    encode_columns,
    permutation_weights,
    read_bundle,
    write_bundle,
)
from modelwarrant.errors import ContractError, SchemaMismatchError, WarrantError
from modelwarrant.windows import Feature, FeatureSchema, typed_window
from tests.bundle.made_bundle import fitted_model, manifest_of, window_of
from tests.training.made_rows import Target

SCHEMA = FeatureSchema(
    features=(
        Feature(name="size", kind="number", range=(0.0, 10.0)),
        Feature(name="colour", kind="category", categories=("", "blue", "1"), missing=True),
        Feature(name="is_new", kind="boolean", missing=True),
        Feature(name="seen", kind="time", missing=True),
    )
)
GOOD: dict[str, list[Any]] = {
    "size": [1, 2.5, 10.0],
    "colour": ["", "green", None],
    "is_new": [True, False, None],
    "seen": ["1970-01-01T00:00:01.5Z", datetime(1970, 1, 2, tzinfo=UTC), None],
}
ENCODED = [[1.0, 0.0, 1.0, 1.5], [2.5, -1.0, 0.0, 86400.0], [10.0, np.nan, np.nan, np.nan]]


def load(tmp_path: Path, target: Target, model: str = "linear") -> Bundle:
    """Write and read a small model."""
    fitted = fitted_model(target, model)
    manifest = manifest_of(fitted.onnx, fitted.schema, fitted)
    write_bundle(tmp_path / "b", fitted.onnx, fitted.schema, manifest)
    return read_bundle(tmp_path / "b")


def test_plain_columns_are_encoded() -> None:
    """Numbers, levels, booleans and instants become what the table says."""
    np.testing.assert_array_equal(encode_columns(GOOD, SCHEMA), ENCODED)


def test_a_window_is_encoded_as_its_plain_columns_are() -> None:
    """Both doors give the same tensor, whatever the order of the window's columns."""
    stamps = pa.array(
        [datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC), datetime(1970, 1, 2, tzinfo=UTC), None]
    )
    table = pa.table(dict(reversed({**GOOD, "seen": stamps}.items())))
    turned = SCHEMA.model_copy(update={"features": SCHEMA.features[::-1]})

    np.testing.assert_array_equal(encode(typed_window(table, turned), SCHEMA), ENCODED)


def test_numpy_scalars_are_plain_values() -> None:
    """A list of numpy numbers is read as the numbers it holds."""
    size = [np.float32(1.0), np.int64(2), np.float64(3.0)]

    found = encode_columns({**GOOD, "size": size}, SCHEMA)

    assert [1.0, 2.0, 3.0] == found[:, 0].tolist()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("size", [1.0, "2", 3.0], "'size': row 1 holds a str that is no number"),
        ("size", [1.0, True, 3.0], "'size': row 1 holds a bool that is no number"),
        ("size", [1.0, 10**400, 3.0], "'size': row 1 holds a int that is no number"),
        ("size", [1.0, None, 3.0], "'size': row 1 has no value"),
        ("size", [1.0, 2.0, 11.0], "'size': row 2 is outside the declared range"),
        ("size", [1.0, float("inf"), 3.0], "'size': row 1 is infinite"),
        ("size", [1.0], "holds 3 values"),
        ("colour", ["blue", b"blue", None], "'colour': row 1 holds a bytes that is no text level"),
        ("is_new", [1, True, None], "'is_new': row 0 holds a int that is no boolean"),
        ("seen", ["1970-01-01", None, None], "'seen': row 0 holds a str that is no instant"),
        ("seen", ["soon", None, None], "'seen': row 0 holds a str that is no instant"),
        ("seen", [datetime(1970, 1, 1), None, None], "'seen': row 0 holds a datetime"),
    ],
)
def test_a_bad_value_names_column_and_row(column: str, values: list[Any], message: str) -> None:
    """The error says where, and never what the value was."""
    with pytest.raises(WarrantError, match=message):
        encode_columns({**GOOD, column: values}, SCHEMA)


def test_columns_must_be_the_models() -> None:
    """An absent column and an unknown one are each named."""
    with pytest.raises(SchemaMismatchError, match="lacks column 'seen'"):
        encode_columns({name: GOOD[name] for name in ("size", "colour", "is_new")}, SCHEMA)
    with pytest.raises(SchemaMismatchError, match="unknown column 'extra'"):
        encode_columns({**GOOD, "extra": [1, 2, 3]}, SCHEMA)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (Feature(name="colours", kind="category"), "'size', which the window does not hold"),
        (Feature(name="size", kind="category"), "'size' as number, and the window .* category"),
    ],
)
def test_a_window_of_other_columns_is_refused(feature: Feature, message: str) -> None:
    """A model never reads a column of another name or kind."""
    window = typed_window(pa.table({feature.name: ["a"]}), FeatureSchema(features=(feature,)))

    with pytest.raises(SchemaMismatchError, match=message):
        encode(window, SCHEMA)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1.0, 0.5, 0.0, 0.0], "'colour': row 0 is neither a boolean nor a level code"),
        ([1.0, 3.0, 0.0, 0.0], "'colour': row 0 is outside"),
        ([1.0, -2.0, 0.0, 0.0], "'colour': row 0 is outside"),
        ([1.0, 0.0, 2.0, 0.0], "'is_new': row 0 is outside"),
        ([1.0, 0.0, 0.0, -np.inf], "'seen': row 0 is infinite"),
        ([np.nan, 0.0, 0.0, 0.0], "'size': row 0 has no value"),
    ],
)
def test_encoded_rows_keep_the_schema(row: list[float], message: str) -> None:
    """Codes, booleans, missing values and infinities are checked on the tensor itself."""
    with pytest.raises(ContractError, match=message):
        check_rows(np.array([row]), SCHEMA)


def test_rows_of_another_width_are_refused() -> None:
    """A tensor has one column a feature."""
    with pytest.raises(SchemaMismatchError, match=r"shape \(1, 3\); the model reads 4 columns"):
        check_rows(np.zeros((1, 3)), SCHEMA)


def test_predictions_do_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    """Columns are found by name."""
    bundle, window = load(tmp_path, "multi"), window_of("multi")
    schema = window.schema.model_copy(update={"features": window.schema.features[::-1]})
    turned = typed_window(window.table.select(window.table.column_names[::-1]), schema)

    found = bundle.predict(turned).values

    np.testing.assert_array_equal(found, bundle.predict(window).values)


@pytest.mark.parametrize(("target", "shape"), [("regression", (0,)), ("multi", (0, 3))])
def test_no_rows_give_no_predictions(
    tmp_path: Path, target: Target, shape: tuple[int, ...]
) -> None:
    """An empty window is answered by empty predictions."""
    empty = window_of(target).take(np.zeros(0, dtype=np.int64))

    assert shape == load(tmp_path, target).predict(empty).values.shape


@pytest.mark.parametrize("target", ["binary", "multi", "regression"])
def test_weights_are_shares(tmp_path: Path, target: Target) -> None:
    """Weights lie in [0, 1], add to 1, and do not depend on the order of the rows."""
    bundle, window = load(tmp_path, target, "hist_gradient_boosting"), window_of(target)

    weights = permutation_weights(bundle, window)

    turned = window.take(np.arange(len(window))[::-1].copy())
    assert weights == permutation_weights(bundle, turned)
    assert bundle.schema.names == tuple(weights)
    assert abs(sum(weights.values()) - 1.0) < 1e-12
    assert min(weights.values()) >= 0.0
    assert weights["size"] > weights["age"]


def test_no_rows_give_no_weights(tmp_path: Path) -> None:
    """Where nothing can be shuffled, every weight is 0."""
    empty = window_of().take(np.zeros(0, dtype=np.int64))

    assert {0.0} == set(permutation_weights(load(tmp_path, "binary"), empty).values())
