"""Slices cover every row once, and a harm is proven, ruled out or unclear."""

import numpy as np
import pytest

from modelwarrant.errors import ProjectError
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.slices import compare_slices, require_slices
from modelwarrant.windows import MIN_SLICE_ROWS, Member

BLOCKS = Blocks(np.arange(1000) // 20, "days")


def _judge(gains, members, **changes):
    margins = {"alpha": 0.05, "margin": 0.005, "margin_slices": 0.05, **changes}
    return compare_slices(gains, BLOCKS, members, **margins)


def _half(name, first):
    return Member("c", name, (np.arange(1000) % 2 == 0) == first)


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
