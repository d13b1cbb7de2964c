"""How often does the whole chain, compare and decide, promote a candidate that is no better?"""

from math import pi

import numpy as np
import pyarrow as pa
import pytest
from scipy.signal import lfilter

from modelwarrant.evaluation import Scored, compare, mean_bounds
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.policy import alpha_for, default_policy
from modelwarrant.records import History
from modelwarrant.windows import Feature, FeatureSchema, FinalSplit, Predictions, typed_window

N = 600
SCHEMA = FeatureSchema(
    features=(Feature(name="x", kind="number"),),
    task="classification",
    target="y",
    classes=("no", "yes"),
    time="t",
)


def _noise(rng, correlation):
    noise = rng.standard_normal(N)
    noise[1:] *= np.sqrt(1 - correlation**2)
    return lfilter([1], [1, -correlation], noise)


def _gain_bounds(rng, *, correlation, alpha):
    """Compare two equally good models whose errors move together along time."""
    z = 1.5 * rng.standard_normal(N)
    y = np.where(rng.random(N) < 1 / (1 + np.exp(-z)), "yes", "no")
    minutes = np.sort(rng.integers(0, 30 * 1440, N))
    time = np.datetime64("2024-03-01", "s") + (60 * minutes).astype("timedelta64[s]")
    final = FinalSplit(typed_window(pa.table({"x": z, "y": y, "t": time}), SCHEMA))
    answers = []
    for _ in range(3):
        p = 1 / (1 + np.exp(-z - _noise(rng, correlation)))
        answers.append(Predictions("classification", np.column_stack([1 - p, p]), ("no", "yes")))
    report = compare(
        final,
        candidate=Scored("c", answers[0]),
        production=Scored("p", answers[1]),
        anchor=None,
        trivial=Scored("t", answers[2]),
        metric="log_loss",
        alpha=alpha,
        margin_non_inferiority=0.01,
        policy_digest="x",
    )
    return report.current.gain


def _history(candidates):
    return History(
        model="m",
        production_version=1,
        production_digest="p",
        anchor_version=1,
        anchor_digest="p",
        candidates=candidates,
        looks=len(candidates),
        policy_digest=None,
        engine_version=None,
    )


def _false_promotions(runs, correlation):
    rng = np.random.default_rng(11)
    alpha = alpha_for(default_policy(), _history(()), "c")
    gains = [_gain_bounds(rng, correlation=correlation, alpha=alpha) for _ in range(runs)]
    return sum(gain.lower > 0 for gain in gains) / runs


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_an_equal_candidate_is_seldom_better_in_a_quick_look(correlation):
    """The first look may spend 3 %; the promise is 5 %."""
    assert _false_promotions(200, correlation) <= 0.05


@pytest.mark.statistical
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8, 0.95])
def test_an_equal_candidate_is_promoted_in_at_most_five_percent(correlation):
    """Single looks, models that differ but are equally good, losses that depend on time."""
    assert _false_promotions(2000, correlation) <= 0.05


@pytest.mark.statistical
def test_ten_equal_candidates_together_are_promoted_in_at_most_five_percent():
    """Alpha is spent over candidates: trying more of them does not help."""
    policy, names = default_policy(), tuple(f"candidate-{k}" for k in range(10))
    history = _history(names)
    blocks, rng = Blocks(np.arange(N) * 30 // N, "days"), np.random.default_rng(12)
    alphas = [alpha_for(policy, history, name) for name in names]
    promoted = naive = 0
    for _ in range(1500):
        windows = [rng.standard_normal(N) for _ in names]
        promoted += any(
            mean_bounds(window, blocks, alpha=alpha).lower > 0
            for window, alpha in zip(windows, alphas, strict=True)
        )
        naive += any(mean_bounds(w, blocks, alpha=0.05).lower > 0 for w in windows)

    assert promoted / 1500 <= 0.05
    assert naive / 1500 > 0.3


@pytest.mark.statistical
@pytest.mark.parametrize("grows", [True, False], ids=["labels that add up", "new labels each time"])
def test_twenty_looks_at_one_equal_candidate_promote_it_in_at_most_five_percent(grows):
    """A candidate of an own window is tried again; at the first level it would win."""
    policy, rng = default_policy(), np.random.default_rng(13)
    blocks = Blocks(np.arange(N) * 30 // N, "days")
    alphas = [alpha_for(policy, _history(("c",) * look), "c", own=True) for look in range(20)]
    promoted = naive = 0
    for _ in range(1500):
        losses = rng.standard_normal((20, N))
        if grows:
            losses = losses.cumsum(axis=0) / np.sqrt(np.arange(1, 21))[:, None]
        promoted += any(
            mean_bounds(look, blocks, alpha=alpha).lower > 0
            for look, alpha in zip(losses, alphas, strict=True)
        )
        naive += any(mean_bounds(look, blocks, alpha=alphas[0]).lower > 0 for look in losses)

    assert promoted / 1500 <= 0.05
    assert naive / 1500 > 0.1


def test_the_levels_of_all_candidates_add_to_alpha():
    """The series 6 / (pi k)^2 sums to one."""
    total = sum(6 / (pi**2 * k**2) for k in range(1, 100_000))

    assert pytest.approx(1, abs=1e-4) == total
