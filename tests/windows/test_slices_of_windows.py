"""Slices of a column cover every row of a window once."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.windows import Feature, FeatureSchema, slice_members, typed_window
from tests.evaluation.conftest import make_world as world


@pytest.mark.parametrize("column", ["x", "town", "rain"])
def test_the_slices_of_a_column_cover_every_row_once(column):
    """Numbers, categories and booleans."""
    window = world(1000).final.window
    members = slice_members(window, None, column)

    assert (np.sum([member.rows for member in members], axis=0) == 1).all()
    assert {"x": 5, "town": 3, "rain": 2}[column] == len(members)


def test_a_number_is_cut_at_the_quintiles_of_the_reference():
    """The bins stay where they were while the current window moves."""
    here, there = world(1000, seed=1).final.window, world(1000, seed=2).final.window
    values = [member.value for member in slice_members(here, there, "x")]
    edges = [f"{q:.6g}" for q in np.quantile(there.numbers("x"), [0.2, 0.4, 0.6, 0.8])]

    assert [f"<= {edges[0]}", f"({edges[0]}, {edges[1]}]"] == values[:2]
    assert f"> {edges[3]}" == values[-1]


def test_a_time_is_cut_into_readable_spans():
    """Edges of a time feature are instants, not seconds."""
    instants = np.datetime64("2024-01-01", "s") + np.arange(500).astype("timedelta64[h]")
    schema = FeatureSchema(features=(Feature(name="seen", kind="time"),))
    window = typed_window(pa.table({"seen": instants}), schema)
    values = [member.value for member in slice_members(window, None, "seen")]

    assert "<= 2024-01-05T03:48:00" == values[0]


def test_rare_levels_are_pooled():
    """No level with few rows is named."""
    window = world(120, days=20).final.window
    (member,) = slice_members(window, None, "town")

    assert ("(3 rare values)", 120) == (member.value, member.rows.sum())


def test_missing_values_are_a_slice_of_their_own():
    """A number that is absent lies in no bin."""
    window = world(1000).final.window
    x = window.table.column("x").to_pylist()
    holed = window.table.set_column(
        window.table.column_names.index("x"), "x", [[None] * 100 + x[100:]]
    )
    members = slice_members(type(window)(window.schema, holed), None, "x")

    assert [100] == [m.rows.sum() for m in members if m.value == "(missing)"]
