"""Labels that settle: what the tests of the loss see, and what they cannot tell."""

import numpy as np
import pytest

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.monitoring.losses import degradation, harm, labels_to_settle
from modelwarrant.monitoring.sampling import sample_rows
from modelwarrant.records import MonitoringThresholds

THRESHOLDS = MonitoringThresholds()


def blocks(n: int) -> Blocks:
    """Return one block a row."""
    return Blocks(np.arange(n), "rows")


def zeros_and_ones(share: float, n: int, *, seed: int = 3) -> np.ndarray:
    """Return 0/1 losses with this mean."""
    return (np.random.default_rng(seed).random(n) < share).astype(float)


REFERENCE = zeros_and_ones(0.2, 3000)


def level_of(current: np.ndarray, *, reference: np.ndarray | None = REFERENCE) -> str:
    """Return the level of the test of a loss."""
    there = None if reference is None else blocks(len(reference))
    found = degradation(
        current, blocks(len(current)), reference, there, bound=1.0, thresholds=THRESHOLDS
    )
    return found.level


def to_settle(losses: np.ndarray, n_older: int = 0) -> int | None:
    """Return how many labels settle."""
    return labels_to_settle(
        losses,
        blocks(len(losses)),
        bound=1.0,
        n_older=n_older,
        thresholds=THRESHOLDS,
    )


def test_a_loss_as_before_is_ok() -> None:
    """Three thousand labels."""
    assert "ok" == level_of(zeros_and_ones(0.2, 3000, seed=5))


def test_a_jump_after_a_long_good_season_is_found() -> None:
    """What was good for 10,000 labels does not weigh against the last 1,000."""
    assert "reached" == level_of(
        np.append(zeros_and_ones(0.2, 10_000, seed=6), zeros_and_ones(0.35, 1000, seed=7))
    )


@pytest.mark.parametrize("reference", [None, REFERENCE[:1499]])
def test_too_few_reference_labels_are_unknown(reference: np.ndarray | None) -> None:
    """With fewer than 1,500 the reference's own error would raise alarms."""
    assert "unknown" == level_of(zeros_and_ones(0.9, 1000), reference=reference)


def test_no_label_is_unknown() -> None:
    """And not 'ok'."""
    assert "unknown" == level_of(np.zeros(0))


def test_harm_is_seen_in_pairs() -> None:
    """Two models with a common hard part differ where they differ."""
    common = zeros_and_ones(0.4, 1000)
    worse = np.maximum(common, zeros_and_ones(0.1, 1000, seed=8))
    found = harm(worse, common, blocks(1000), bound=1.0, thresholds=THRESHOLDS)

    assert "reached" == found.level


def test_a_better_version_does_no_harm() -> None:
    """The other way round."""
    common = zeros_and_ones(0.4, 1000)
    worse = np.maximum(common, zeros_and_ones(0.1, 1000, seed=8))
    found = harm(common, worse, blocks(1000), bound=1.0, thresholds=THRESHOLDS)

    assert "ok" == found.level


def test_a_watch_ends_with_its_labels() -> None:
    """What comes after the first 1,500 is no matter of the promotion."""
    calm = np.zeros(1500)
    found = harm(
        np.append(calm, np.ones(3000)),
        np.append(calm, np.zeros(3000)),
        blocks(4500),
        bound=1.0,
        thresholds=THRESHOLDS,
    )

    assert ("ok", 1500) == (found.level, found.n_labels)


def test_labels_that_settle_grow_with_the_noise() -> None:
    """Losses that hardly vary settle a growth sooner."""
    needed = [
        to_settle(losses)
        for losses in (np.random.default_rng(1).uniform(0.15, 0.25, 3000), REFERENCE)
    ]

    assert needed[0] is not None
    assert needed[1] is not None
    assert needed[0] < needed[1]


def test_without_a_reference_no_number_of_labels_settles() -> None:
    """It is None with a reason elsewhere, not 0."""
    assert labels_to_settle(None, None, bound=None, n_older=0, thresholds=THRESHOLDS) is None


def test_a_later_question_needs_more_labels() -> None:
    """Each beginning has a smaller share of the budget of false alarms."""
    first, later = (to_settle(REFERENCE, n) for n in (0, 20_000))

    assert first is not None
    assert later is not None
    assert first < later < 2 * first


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    """So who labels in pieces labels nothing twice."""
    scores = np.random.default_rng(2).random(500)
    keys = [(f"r{n}", 0) for n in range(500)]
    few, many = (set(sample_rows(scores, keys, size=n).rows.tolist()) for n in (50, 200))

    assert few < many


def test_the_reason_says_what_the_newest_labels_lost() -> None:
    """4,000 sound labels hide 500 bad ones in the mean."""
    losses = np.append(zeros_and_ones(0.2, 4000), np.ones(500))
    every = blocks(len(losses)), REFERENCE, blocks(len(REFERENCE))
    found = degradation(losses, *every, bound=1.0, thresholds=THRESHOLDS)

    assert "reached" == found.level
    assert "(1 over the newest 500)" in found.reason
