"""Calibration is measured as others measure it, and compared with an interval."""

import numpy as np
import pytest

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.calibration import calibration_error, compare_calibration
from modelwarrant.evaluation.losses import Truth

N = 4000
BLOCKS = Blocks(np.arange(N) // 80, "days")


def _binary(seed, *, sharpen=1.0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(N)
    truth = Truth(
        "classification",
        (rng.random(N) < 1 / (1 + np.exp(-z))).astype(int),
        np.zeros(0),
        ("no", "yes"),
    )
    p = 1 / (1 + np.exp(-sharpen * z))
    return truth, np.column_stack([1 - p, p])


def _compare(candidate, baseline, truth):
    return compare_calibration(
        candidate,
        baseline,
        truth,
        BLOCKS,
        positive=1,
        alpha=0.05,
        rng=np.random.default_rng(0),
    )


def test_the_error_is_the_textbook_expected_calibration_error():
    """Row-weighted mean of the gap between mean score and share of positives in ten bins."""
    truth, answers = _binary(1, sharpen=2.0)
    score, expected = answers[:, 1], 0.0
    for low in range(10):
        rows = (score >= low / 10) & (score < (low + 1) / 10)
        gap = abs(score[rows].mean() - truth.codes[rows].mean())
        expected += rows.mean() * gap

    assert pytest.approx(expected, abs=1e-12) == calibration_error(answers, truth)


def test_an_overconfident_candidate_is_harmed():
    """Its probabilities are three times too sharp."""
    truth, sharp = _binary(2, sharpen=3.0)
    _, honest = _binary(2)
    found = _compare(sharp, honest, truth)

    assert "harmed" == found.level
    assert found.difference.lower > 0.02
    assert found.candidate_error > 0.1 > 0.03 > found.baseline_error


def test_equal_calibration_is_ok():
    """A growth of two points is ruled out."""
    truth, honest = _binary(3)
    found = _compare(honest, honest, truth)

    assert "ok" == found.level
    assert (0.0, 0.0, 0.0) == (
        found.difference.estimate,
        found.difference.lower,
        found.difference.upper,
    )


def test_more_classes_are_judged_by_the_answered_one():
    """Top-label calibration."""
    rng = np.random.default_rng(4)
    p = rng.dirichlet([1, 1, 1], N)
    codes = (p.cumsum(axis=1) > rng.random((N, 1))).argmax(axis=1)
    truth = Truth("classification", codes, np.zeros(0), ("a", "b", "c"))

    assert calibration_error(p, truth) < 0.04


def test_regression_bias_is_counted_in_residual_deviations():
    """A bias of half a standard deviation in every decile."""
    rng = np.random.default_rng(5)
    values = rng.standard_normal(N)
    truth = Truth("regression", np.zeros(0, int), values)
    honest = values + 0.5 * rng.standard_normal(N)
    honest -= (honest - values).mean()
    slope = (honest * values).sum() / (honest * honest).sum()
    found = _compare(slope * honest + 0.25, slope * honest, truth)

    assert "harmed" == found.level
    assert pytest.approx(0.25 / np.std(slope * honest - values), abs=0.05) == found.candidate_error
    assert 10 == len(found.candidate_bins) == len(found.baseline_bins)
    assert all(each.deviation > 0 for each in found.candidate_bins)


def test_without_production_there_is_nothing_to_compare_with():
    """The candidate's own error is still reported."""
    truth, honest = _binary(6)
    found = _compare(honest, None, truth)

    assert ("unclear", None, None) == (found.level, found.baseline_error, found.difference)
    assert found.candidate_error is not None


def test_too_few_blocks_are_unclear():
    """Five days do not bound a difference."""
    truth, honest = _binary(7)
    found = compare_calibration(
        honest,
        honest,
        truth,
        Blocks(np.arange(N) // 800, "days"),
        positive=1,
        alpha=0.05,
        rng=np.random.default_rng(0),
    )

    assert ("unclear", None) == (found.level, found.difference.lower)


def test_a_baseline_without_any_residual_has_no_unit():
    """A production model that is never wrong cannot scale a bias."""
    truth = Truth("regression", np.zeros(0, int), np.arange(N, dtype=float))

    assert "unclear" == _compare(truth.values + 1, truth.values, truth).level


def test_every_row_lies_in_one_reliability_bin():
    """Bins are for plots, and add to the window."""
    truth, honest = _binary(8)
    found = _compare(honest, honest, truth)

    assert N == sum(each.n_rows for each in found.candidate_bins)
    assert all(each.deviation is None for each in found.candidate_bins)
