"""Inputs on which this project and NannyML must agree, drawn alike by both environments.

``RandomState`` and not ``default_rng``: its streams are frozen by numpy's policy.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["CLASSIFICATIONS", "REGRESSIONS", "Classified", "Regressed", "classified", "regressed"]

CLASSIFICATIONS = ("calibrated", "overconfident", "tied", "three-classes")
REGRESSIONS = ("numbers", "ties-and-zeros", "missing")
REFERENCE, CURRENT = 3000, 1500


@dataclass(frozen=True)
class Classified:
    """Probabilities of a model, and labels of the reference: codes from 0."""

    reference: np.ndarray
    labels: np.ndarray
    current: np.ndarray


@dataclass(frozen=True)
class Regressed:
    """Features, answers of a model, and the reference's target."""

    reference: np.ndarray
    reference_answers: np.ndarray
    target: np.ndarray
    current: np.ndarray
    current_answers: np.ndarray


def classified(case: str) -> Classified:
    """Return a case by its name; the current window has moved by .4 standard deviations."""
    random = np.random.RandomState(CLASSIFICATIONS.index(case) + 1)
    first = random.normal(size=(REFERENCE, 3))
    second = random.normal(size=(CURRENT, 3)) + np.array([0.4, 0.0, 0.0])
    slopes = np.array([[1.5, -1.0, 0.5], [-0.5, 1.0, 1.0], [0.0, 0.2, -1.0]])
    if case != "three-classes":
        slopes[1:] = 0.0
    truth = _shares(first @ slopes.T, case)
    labels = (random.random_sample((REFERENCE, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    sharper = {"calibrated": 1.0, "overconfident": 2.2, "tied": 2.2, "three-classes": 1.7}[case]
    answers = [_shares(sharper * (each @ slopes.T), case) for each in (first, second)]
    if case == "tied":
        answers = [
            np.column_stack([1 - np.round(p[:, 1], 2), np.round(p[:, 1], 2)]) for p in answers
        ]
    return Classified(answers[0], labels, answers[1])


def _shares(scores: np.ndarray, case: str) -> np.ndarray:
    if case != "three-classes":
        positive = 1 / (1 + np.exp(-scores[:, 0]))
        return np.column_stack([1 - positive, positive])
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def regressed(case: str) -> Regressed:
    """Return a case by its name; noise grows with the first feature, which has moved."""
    random = np.random.RandomState(REGRESSIONS.index(case) + 11)
    first = random.normal(size=(REFERENCE, 3))
    second = random.normal(size=(CURRENT, 3)) + np.array([0.4, 0.0, 0.0])
    target = first @ np.array([2.0, -1.0, 0.0]) + random.normal(size=REFERENCE) * np.exp(
        0.5 * first[:, 0]
    )
    answers = [each @ np.array([1.8, -1.0, 0.1]) + 0.2 for each in (first, second)]
    if case == "ties-and-zeros":
        first, second = np.round(first * 2), np.round(second * 2)
    if case == "missing":
        for each in (first, second):
            each[random.random_sample(each.shape) < 0.1] = np.nan
    return Regressed(first, answers[0], target, second, answers[1])
