"""The parts of an estimate, each against a value that can be reckoned by hand."""

import numpy as np
import pytest

from modelwarrant.estimation.binning import cuts, falling_codes
from modelwarrant.estimation.calibrating import fit_calibrator, needs_calibration
from modelwarrant.estimation.confidence import class_losses, expected, expected_auc
from modelwarrant.estimation.direct import fit_losses
from modelwarrant.estimation.sides import line_up
from modelwarrant.estimation.weighting import effective_share, weighted_mean
from tests.estimation.worlds import binary, regression


def test_expected_losses_are_the_losses_weighted_by_what_is_likely() -> None:
    """Brier: (1 - .8)^2 with probability .7, .8^2 with probability .3."""
    losses = class_losses(np.array([[0.8, 0.2]]), metric="brier")

    assert [0.04 * 0.7 + 0.64 * 0.3] == pytest.approx(
        expected(losses, np.array([[0.7, 0.3]])).tolist()
    )


def test_the_expected_auc_of_certain_labels_is_the_auc() -> None:
    """With probabilities of 0 and 1 it counts pairs; a tie is one half."""
    known = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    answers = np.array([[0.8, 0.2], [0.8, 0.2], [0.1, 0.9]])

    assert 0.75 == expected_auc(known, answers)


def test_the_auc_of_one_certain_class_is_undefined() -> None:
    """There is no pair to put in order."""
    known = np.array([[1.0, 0.0], [1.0, 0.0]])

    assert expected_auc(known, np.array([[0.8, 0.2], [0.1, 0.9]])) is None


def test_a_score_that_is_too_sure_needs_calibration() -> None:
    """And one that tells the classes apart without fail is left alone."""
    random = np.random.default_rng(1)
    chance = random.random(4000)
    observed = random.random(4000) < chance
    odds = (chance / (1 - chance)) ** 3

    assert not needs_calibration(observed, 0.4 + 0.2 * observed)
    assert needs_calibration(observed, odds / (1 + odds))


def test_one_class_needs_no_calibration() -> None:
    """Nothing can be learnt from it."""
    assert not needs_calibration(np.ones(50, dtype=np.bool_), np.linspace(0, 1, 50))


def test_calibrated_probabilities_add_to_one() -> None:
    """Also where every class's own calibration says 0."""
    answers = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]] * 40)
    codes = np.array([0, 1, 2] * 40)
    calibrator = fit_calibrator(answers, codes, weights=np.ones(120))
    nowhere = np.array([[0.0, 0.0, 1.0]])

    for rows in (answers, nowhere):
        assert np.allclose(1, calibrator.probabilities(rows).sum(axis=1))


def test_weights_move_the_calibration() -> None:
    """Rows of weight 0 count for nothing."""
    answers = np.array([[0.5, 0.5]] * 4)
    codes = np.array([0, 0, 1, 1])
    calibrator = fit_calibrator(answers, codes, weights=np.array([1.0, 0.0, 1.0, 2.0]))

    assert [[0.25, 0.75]] == calibrator.probabilities(answers[:1]).tolist()


def test_the_weighted_mean_and_its_error() -> None:
    """Half the weight on a loss of 1; with equal weights the error is that of a plain mean."""
    found = weighted_mean(np.array([1.0, 0.0, 0.0]), np.array([2.0, 1.0, 1.0]))
    plain = weighted_mean(np.array([1.0, 0.0, 1.0, 0.0]), np.ones(4))

    assert 0.5 == found.value
    assert 0.25 == plain.deviation


def test_density_weights_make_the_reference_like_the_window() -> None:
    """The weighted mean of the feature that moved is the window's, and there are fewer rows."""
    world = binary(2, rows=(4000, 4000), shift=0.6)
    sides = line_up(world.reference, world.current, metric="log_loss")
    assert sides.ratio is not None
    moved = sides.reference.numbers("x0")[sides.ratio.rows]

    assert 0.4 == pytest.approx(np.average(moved, weights=sides.ratio.weights), abs=0.06)
    assert 0.5 < effective_share(sides.ratio.weights) < 0.9


def test_without_a_shift_the_weights_are_one() -> None:
    """The classifier's own noise is not taken for a shift."""
    world = regression(3)
    sides = line_up(world.reference, world.current, metric="squared_error")
    assert sides.ratio is not None

    assert effective_share(sides.ratio.weights) > 0.95


def test_few_distinct_values_are_cut_between_them() -> None:
    """0 has a bin of its own, and so has what is missing."""
    values = np.array([-1.0] * 3 + [0.0] * 3 + [1.0] * 3 + [2.0] * 3 + [np.nan])
    ends = cuts(values)

    assert [-1e-35, 1e-35, 1.5, np.inf] == ends.tolist()
    assert [0.0, -1.0, -2.0, -3.0] == falling_codes(np.array([-1.0, 0.0, 1.0, 2.0]), ends).tolist()
    assert np.isnan(falling_codes(np.array([np.nan]), ends)[0])


def test_many_values_get_255_bins_of_about_equal_size() -> None:
    """A value with more rows than a bin holds has one of its own."""
    values = np.concatenate([np.linspace(1, 2, 5000), np.full(1000, 1.5)])
    ends = cuts(values)
    counts = np.bincount(np.searchsorted(ends, values))[1:]

    assert 255 == len(ends)
    assert 1000 <= counts.max() <= 1020
    assert np.median(counts) == pytest.approx(20, abs=1)


def test_a_constant_column_has_one_bin() -> None:
    """It is not cut, and a loss is learnt without it."""
    values = np.column_stack([np.full(200, 7.0), np.arange(200.0)])
    told = fit_losses(values, np.arange(200.0)).expected(values)

    assert [1e-35, np.inf] == cuts(values[:, 0]).tolist()
    assert np.corrcoef(told, np.arange(200.0))[0, 1] > 0.99


def test_no_expected_loss_is_negative() -> None:
    """Trees may overshoot; a loss cannot."""
    random = np.random.default_rng(4)
    values = random.normal(size=(600, 2))
    losses = np.maximum(values[:, 0] * 5, 0)

    assert 0 <= fit_losses(values, losses).expected(values * 3).min()
