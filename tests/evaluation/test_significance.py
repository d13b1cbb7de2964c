"""Tests for counts, families and curves agree with the reference values and other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from modelwarrant.evaluation import delong, holm, loss_e_value, mcnemar, roc_auc, sign_e_value

P_VALUES = [0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216]


def test_holm_gives_the_reference_values():
    """Design page, decision statistics."""
    expected = [0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615]

    assert pytest.approx(expected, abs=1e-12) == holm(P_VALUES)
    assert 1 == sum(p <= 0.05 for p in holm(P_VALUES))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(p_values):
    """In any order, with ties and with one value."""
    assert pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12) == holm(p_values)


def test_mcnemar_gives_the_reference_values():
    """42 wins against 25 losses."""
    found = mcnemar(42, 25)

    assert (0.0498, 0.03846) == (round(found.exact, 6), round(found.mid_p, 6))


def test_mcnemars_chi_squared_gives_the_reference_values():
    """With and without Edwards' correction."""
    found = mcnemar(42, 25)

    assert (3.820896, 0.050617) == (
        round(found.chi2_corrected, 6),
        round(found.chi2_corrected_p_value, 6),
    )
    assert (4.313433, 0.037813) == (round(found.chi2, 6), round(found.chi2_p_value, 6))


def test_e_values_give_the_reference_values():
    """42 wins against 25 losses: a uniform prior, and bets on a grid of 20 chances."""
    outcomes = np.repeat([1.0, 0.0], [42, 25])
    bets = 2 * np.linspace(0.52, 0.9, 20) - 1  # a chance q is the share 2 q - 1 of all

    assert 1.296808 == round(sign_e_value(42, 25), 6)
    assert 3.151850 == round(loss_e_value(outcomes, null_mean=0.5, bets=bets), 6)


def test_the_e_value_of_nothing_is_one_and_of_everything_finite():
    """No row, no evidence; and a million wins do not overflow."""
    assert (1.0, True) == (sign_e_value(0, 0), np.isfinite(sign_e_value(10**6, 0)))


def test_no_discordant_row_has_no_chi_squared():
    """Nothing is divided by 0."""
    assert (0.0, 1.0, 0.0) == (
        mcnemar(0, 0).chi2,
        mcnemar(0, 0).chi2_p_value,
        mcnemar(0, 0).chi2_corrected,
    )


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (0, 7), (10, 10), (3, 19)])
def test_exact_mcnemar_agrees_with_statsmodels(wins, losses):
    """The binomial form, edge cases included."""
    expected = statsmodels_mcnemar([[5, wins], [losses, 5]], exact=True).pvalue

    assert pytest.approx(expected) == mcnemar(wins, losses).exact


def test_mcnemar_is_the_same_from_either_side():
    """Two-sided p-values do not know which model is which."""
    assert mcnemar(4, 11).mid_p == mcnemar(11, 4).mid_p


def test_delong_gives_the_reference_values():
    """Areas, standard error, z and p of the design page."""
    i = np.arange(200)
    y = 7919 * i % 10 < 3
    first = 104729 * i % 1000 / 1000 + 0.35 * y
    second = 1299709 * i % 1000 / 1000 + 0.25 * y
    found = delong(y, first, second)

    assert (0.761071, 0.696071) == (round(found.first, 6), round(found.second, 6))
    assert 0.0540416 == round(found.deviation, 7)
    assert (1.202777, 0.229063) == (round(found.z, 6), round(found.p_value, 6))


def test_delong_agrees_with_the_bootstrap():
    """Its standard error is that of resampled differences, within a tenth."""
    rng = np.random.default_rng(0)
    y = rng.random(400) < 0.4
    base = y + 1.5 * rng.standard_normal(400)
    other = base + rng.standard_normal(400)
    resampled = []
    for _ in range(400):
        rows = rng.integers(0, 400, 400)
        resampled.append(roc_auc(y[rows], base[rows]) - roc_auc(y[rows], other[rows]))

    assert pytest.approx(np.std(resampled), rel=0.1) == delong(y, base, other).deviation


def test_delong_needs_two_rows_of_each_class():
    """Below it there is no variance to estimate."""
    assert delong(np.array([True, False, False]), np.arange(3.0), np.arange(3.0)) is None


def test_equal_scores_have_no_z():
    """A difference of exactly 0 with no spread is not a test."""
    score = np.arange(8.0)
    found = delong(score % 2 == 0, score, score)

    assert (0.0, None, None) == (found.difference, found.z, found.p_value)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=40))
def test_the_area_agrees_with_scikit_learn(rows):
    """Many ties, unequal classes."""
    y = np.array([positive for positive, _ in rows])
    score = np.array([float(value) for _, value in rows])
    if y.all() or not y.any():
        assert roc_auc(y, score) is None
    else:
        assert pytest.approx(roc_auc_score(y, score)) == roc_auc(y, score)
