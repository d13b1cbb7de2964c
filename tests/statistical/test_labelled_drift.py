"""P3, P4, the labelled loss and its slices are quiet without a change, and find one."""

from collections import Counter

import pytest

from modelwarrant.drift.labelled import Labelled, labelled_drift
from modelwarrant.records import LabelledDrift
from tests.evaluation.conftest import make_world

PAIRS = 200


def compared(seed: int, *, task: str, timed: bool, bias: float) -> LabelledDrift:
    """Compare two windows of 2,000 labels; the model of the second answers with a bias."""
    windows = [make_world(2000, seed=2 * seed + k, task=task, timed=timed) for k in (0, 1)]
    answers = windows[0].answers(0.3, seed), windows[1].answers(0.3, seed + 9999, bias=bias)
    reference, current = (
        Labelled(window.final.window, answer)
        for window, answer in zip(windows, answers, strict=True)
    )
    return labelled_drift(reference, current, alpha=0.01)


@pytest.mark.statistical
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_without_a_change_labels_are_quiet(task: str, timed: bool) -> None:
    """Of 200 pairs at most 1 % are drift, and at most 3 % a notice."""
    found = Counter(compared(seed, task=task, timed=timed, bias=0.0).level for seed in range(PAIRS))

    assert found["drift"] <= 0.01 * PAIRS
    assert found["notice"] <= 0.03 * PAIRS
    assert 0 == found["unknown"]


@pytest.mark.statistical
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_bias_of_the_answers_is_found(task: str, timed: bool) -> None:
    """By .5 of the signal's unit (a third of its deviation): in nine of ten pairs."""
    found = Counter(
        compared(seed, task=task, timed=timed, bias=0.5).level for seed in range(PAIRS // 4)
    )

    assert found["drift"] >= 0.9 * PAIRS // 4
