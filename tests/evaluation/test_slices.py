"""Slices cover every row once, and a harm is proven, ruled out or unclear."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.errors import ProjectError
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.slices import (
    MIN_SLICE_ROWS,
    Member,
    compare_slices,
    require_slices,
    slice_members,
)
from modelwarrant.windows import Feature, FeatureSchema, typed_window

BLOCKS = Blocks(np.arange(1000) // 20, "days")


def _judge(gains, members, **changes):
    margins = {"alpha": 0.05, "margin": 0.005, "margin_slices": 0.05, **changes}
    return compare_slices(gains, BLOCKS, members, **margins)


def _half(name, first):
    return Member("c", name, (np.arange(1000) % 2 == 0) == first)


@pytest.mark.parametrize("column", ["x", "town", "rain"])
def test_the_slices_of_a_column_cover_every_row_once(world, column):
    """Numbers, categories and booleans."""
    window = world(1000).final.window
    members = slice_members(window, None, column)

    assert (np.sum([member.rows for member in members], axis=0) == 1).all()
    assert {"x": 5, "town": 3, "rain": 2}[column] == len(members)


def test_a_number_is_cut_at_the_quintiles_of_the_reference(world):
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


def test_rare_levels_are_pooled(world):
    """No level with few rows is named."""
    window = world(120, days=20).final.window
    (member,) = slice_members(window, None, "town")

    assert ("(3 rare values)", 120) == (member.value, member.rows.sum())


def test_missing_values_are_a_slice_of_their_own(world):
    """A number that is absent lies in no bin."""
    window = world(1000).final.window
    x = window.table.column("x").to_pylist()
    holed = window.table.set_column(
        window.table.column_names.index("x"), "x", [[None] * 100 + x[100:]]
    )
    members = slice_members(type(window)(window.schema, holed), None, "x")

    assert [100] == [m.rows.sum() for m in members if m.value == "(missing)"]


def test_a_proven_harm_is_harmed_although_the_whole_gains():
    """The mean over all rows hides it."""
    rng = np.random.default_rng(1)
    gains = np.where(np.arange(1000) % 2 == 0, 0.2, -0.1) + 0.1 * rng.standard_normal(1000)
    good, bad = _judge(gains, [_half("good", True), _half("bad", False)])

    assert gains.mean() > 0
    assert ("ok", "harmed") == (good.level, bad.level)
    assert bad.p_harm_adjusted < 1e-6


def test_a_harm_that_is_not_ruled_out_is_unclear():
    """Few rows, wide interval."""
    gains = 0.01 + 0.9 * np.random.default_rng(2).standard_normal(1000)
    (only,) = _judge(gains, [Member("c", "all", np.ones(1000, dtype=bool))])

    assert "unclear" == only.level
    assert only.reason == "a loss of more than 0.05 is not ruled out"


def test_holm_guards_the_family_of_slices():
    """What would be harmed alone is not harmed among twenty."""
    rng = np.random.default_rng(8)
    gains = -0.005 + 0.1 * rng.standard_normal(1000)
    members = [Member("c", str(k), np.arange(1000) % 10 == k) for k in range(10)]
    judged = _judge(gains, members)
    smallest = min(each.p_harm for each in judged)

    assert min(each.p_harm_adjusted for each in judged) == pytest.approx(10 * smallest)
    assert not any(each.level == "harmed" for each in judged)


@pytest.mark.parametrize(("rows", "level"), [(20, "ok"), (49, "ok")])
def test_a_handful_of_rows_does_not_make_the_slices_unclear(rows, level):
    """Below 5 % of the rows and below the floor nothing can be judged, nor matters much."""
    mask = np.arange(1000) < rows
    (only,) = _judge(np.zeros(1000) - 1, [Member("c", "few", mask)])

    assert level == only.level
    assert (None, None, None) == (only.gain.lower, only.p_harm, only.p_harm_adjusted)
    assert f"{rows} rows, {MIN_SLICE_ROWS} are needed" in only.reason


def test_a_small_slice_of_a_small_window_is_unclear():
    """49 of 500 rows are a tenth of the window."""
    rows = np.arange(500) < 49
    blocks = Blocks(np.arange(500) // 10, "days")
    (only,) = compare_slices(
        np.zeros(500), blocks, [Member("c", "few", rows)], alpha=0.05, margin=0, margin_slices=1
    )

    assert "unclear" == only.level


@pytest.mark.parametrize(
    ("columns", "said"), [(["wind"], "'wind' is not a feature"), (["x", "x"], "named twice")]
)
def test_a_slice_that_is_no_feature_is_refused(world, columns, said):
    """The error lists the features."""
    with pytest.raises(ProjectError, match=said):
        require_slices(columns, world(50).final.window)
