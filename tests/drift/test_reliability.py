"""P4's statistics agree with other libraries."""

import numpy as np
import pytest
import statsmodels.api as sm

from modelwarrant.drift.reliability import calibration_error, recalibration, spiegelhalter

RANDOM = np.random.default_rng(1)
SAID = RANDOM.uniform(0.02, 0.98, 800)
CAME = (RANDOM.random(800) < SAID**1.5).astype(float)


def test_the_recalibration_line_is_the_logistic_regression_of_statsmodels() -> None:
    """Outcome on log odds, with an intercept."""
    design = sm.add_constant(np.log(SAID / (1 - SAID)))
    intercept, slope = sm.Logit(CAME, design).fit(disp=0).params

    assert (slope, intercept) == pytest.approx(recalibration(SAID, CAME), abs=1e-6)


@pytest.mark.parametrize(
    ("said", "came"),
    [
        ([0.2, 0.7, 0.9], [1.0, 1.0, 1.0]),
        ([0.5, 0.5, 0.5], [1.0, 0.0, 1.0]),
        ([0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.0, 1.0]),
    ],
    ids=["one outcome", "one probability", "separated"],
)
def test_a_line_that_is_not_finite_is_undefined(said: list[float], came: list[float]) -> None:
    """None, not a huge number."""
    assert recalibration(np.array(said), np.array(came)) is None


def test_spiegelhalters_z_is_standard_normal_where_probabilities_are_exact() -> None:
    """Over 400 draws: mean 0 and deviation 1, to three errors."""
    random = np.random.default_rng(2)
    found = []
    for _ in range(400):
        said = random.beta(2, 2, 500)
        found.append(spiegelhalter(said, (random.random(500) < said).astype(float)))

    assert 0 == pytest.approx(np.mean(found), abs=0.15)
    assert 1 == pytest.approx(np.std(found), abs=0.11)


def test_certain_probabilities_have_no_z() -> None:
    """Nothing varies, so nothing is tested."""
    assert spiegelhalter(np.array([0.0, 1.0, 0.5]), np.array([0.0, 1.0, 1.0])) is None


def test_the_calibration_error_is_that_of_the_evaluation_room() -> None:
    """Both rooms bin alike."""
    from modelwarrant.evaluation.calibration import calibration_error as evaluated
    from modelwarrant.evaluation.losses import Truth

    truth = Truth("classification", CAME.astype(int), np.zeros(0), ("no", "yes"))
    answers = np.column_stack([1 - SAID, SAID])

    assert evaluated(answers, truth) == pytest.approx(calibration_error(SAID, CAME), abs=1e-12)
