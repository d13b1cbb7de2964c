"""CBPE and DLE agree with NannyML 0.13.1, whose values ``nannyml/make_vectors.py`` has frozen."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelwarrant.estimation.calibrating import fit_calibrator
from modelwarrant.estimation.confidence import class_losses, expected, expected_auc
from modelwarrant.estimation.direct import fit_losses
from modelwarrant.estimation.weighting import sampling_error
from tests.estimation.nannyml.inputs import CLASSIFICATIONS, REGRESSIONS, classified, regressed

VECTORS = json.loads((Path(__file__).parent / "nannyml" / "vectors.json").read_text())


def test_the_vectors_are_of_the_version_named() -> None:
    """Another version needs other vectors."""
    assert "0.13.1" == VECTORS["versions"]["nannyml"]


@pytest.mark.parametrize("name", CLASSIFICATIONS)
def test_confidence_based_estimates_agree(name: str) -> None:
    """Accuracy, its sampling error and ROC AUC to 1e-4, calibrated or left alone."""
    case, frozen = classified(name), VECTORS["confidence"][name]
    known = fit_calibrator(case.reference, case.labels).probabilities(case.current)
    wrong = expected(class_losses(case.current, metric="error_rate"), known)
    missed = (case.reference.argmax(axis=1) != case.labels).astype(np.float64)

    assert frozen["accuracy"] == pytest.approx(1 - wrong.mean(), abs=1e-4)
    assert frozen["roc_auc"] == pytest.approx(expected_auc(known, case.current), abs=1e-4)
    assert frozen["accuracy_sampling_error"] == pytest.approx(
        sampling_error(missed, len(case.current)), abs=1e-8
    )


@pytest.mark.parametrize("name", REGRESSIONS)
def test_direct_loss_estimates_agree(name: str) -> None:
    """Absolute and squared error: the same trees are grown, but where values are missing."""
    case, frozen = regressed(name), VECTORS["direct"][name]
    values = np.column_stack([case.reference, case.reference_answers])
    current = np.column_stack([case.current, case.current_answers])
    errors = np.abs(case.target - case.reference_answers)
    for metric, losses in (("mae", errors), ("mse", errors**2)):
        told = fit_losses(values, losses).expected(current)

        tolerance = 1e-4 if name == "missing" else 1e-9
        assert frozen[metric] == pytest.approx(told.mean(), rel=tolerance)
        assert frozen[f"{metric}_sampling_error"] == pytest.approx(
            sampling_error(losses, len(current)), abs=1e-8
        )
