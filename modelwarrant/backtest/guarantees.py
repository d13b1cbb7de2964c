"""Does the shipped policy keep what it promises where the truth is known by construction?

Each check draws many seasons in which the right answer is certain, counts how often the shipped
functions give the wrong one, and compares that with a limit that was declared before. Beside it
stands what a usual rule does with the same rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit

from modelwarrant.backtest.acts import Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.grid import RECIPE, Stream, drawn
from modelwarrant.backtest.grid import Setting as GridSetting
from modelwarrant.backtest.laps import cut_into_laps
from modelwarrant.backtest.timing import reason_to_train
from modelwarrant.evaluation import DEFAULT_METRIC, mean_bounds
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.monitoring.losses import degradation
from modelwarrant.policy import Policy, alpha_for
from modelwarrant.records import History, Interval, MonitoringThresholds
from modelwarrant.records.backtest import Guarantee, Prices

__all__ = ["QUICK_SCALE", "Scale", "guarantees"]

Floats = npt.NDArray[np.float64]

_ROWS: Final = 600
_LOOKS: Final = 20
_CANDIDATES: Final = 10
_CHAIN: Final = 20
_MOST_CANDIDATES: Final = 400
"""Candidates after which a chain ends that has not reached 20 promotions."""
_CREPT: Final = 0.02
"""Growth of the true loss since the last approved model that counts as creep: ``margin_total``."""
_LITTLE: Final = 0.01
"""How much worse than production each candidate of a chain is, as a share of its loss."""
_WINDOW: Final = 500
_TOLERATED: Final = 1.1
_ALPHA: Final = 0.025


@dataclass(frozen=True)
class Scale:
    """How many seasons each check draws."""

    equal: int = 2000
    chains: int = 400
    harmless: int = 200
    concept: int = 1000


QUICK_SCALE: Final = Scale(equal=100, chains=10, harmless=12, concept=50)
"""Seconds instead of minutes: shows that the checks run, not how rare an error is."""


def guarantees(policy: Policy, scale: Scale, *, seed: int) -> Iterator[Guarantee]:
    """Yield each promise with what was found; the same arguments give the same figures.

    Args:
        policy: the promotion policy whose alpha and margins are used.
        scale: seasons of each check.
        seed: of every draw.
    """
    rng = np.random.default_rng(seed)
    for candidates, looks in ((1, _LOOKS), (_CANDIDATES, 1), (_CANDIDATES, _LOOKS)):
        yield _equal(policy, scale.equal, rng, candidates=candidates, looks=looks)
    yield _growing(policy, scale.equal, rng)
    yield _creep(policy, scale.chains, rng)
    yield _harmless(policy, scale.harmless, seed)
    yield _found(scale.concept, rng, "log loss", _weaker_effect)
    yield _found(scale.concept, rng, "0/1 loss", _more_errors)


def _share(found: int, of: int) -> Interval:
    """Return a share with exact bounds (Clopper and Pearson 1934)."""
    lower = float(betaincinv(found, of - found + 1, _ALPHA)) if found else 0.0
    upper = float(betaincinv(found + 1, of - found, 1 - _ALPHA)) if found < of else 1.0
    return Interval(
        estimate=found / of, lower=lower, upper=upper, alpha=_ALPHA, method="exact, binomial"
    )


def _verdict(
    name: str,
    hits: npt.NDArray[np.bool_],
    others: dict[str, npt.NDArray[np.bool_]],
    *,
    limit: float,
    side: Literal["at most", "at least"],
    about: str,
) -> Guarantee:
    return Guarantee(
        name=name,
        about=about,
        found=int(hits.sum()),
        of=len(hits),
        share=_share(int(hits.sum()), len(hits)),
        side=side,
        limit=limit,
        others={rule: float(each.mean()) for rule, each in others.items()},
    )


def _alphas(policy: Policy, looks: int) -> list[float]:
    """Return the level of each look since the last promotion, from the shipped ledger of alpha."""
    found = []
    for look in range(looks):
        history = History(
            model="season",
            production_version=1,
            production_digest="p",
            anchor_version=1,
            anchor_digest="p",
            candidates=tuple(f"look-{each}" for each in range(look)),
            looks=look,
            policy_digest=policy.digest,
            engine_version=None,
        )
        found.append(alpha_for(policy, history, "candidate", own=True))
    return found


def _equal_gain(rng: np.random.Generator, rows: int) -> Floats:
    """Return the gain a row of one model over another; they are equally good by construction.

    Both see the truth through noise of the same law, so their log losses are exchangeable.
    """
    logit = 1.5 * rng.standard_normal(rows)
    sign = np.where(rng.random(rows) < expit(logit), 1.0, -1.0)
    answers = logit + rng.standard_normal((2, rows))
    losses = np.logaddexp(0.0, -sign * answers)
    return np.asarray(losses[0] - losses[1])


def _is_better(gain: Floats, alpha: float) -> bool:
    """Return whether the shipped bound shows a gain: what PROMOTE cannot do without."""
    runs = Blocks(np.arange(len(gain)) * 64 // len(gain), "runs of rows")
    lower = mean_bounds(gain, runs, alpha=alpha).lower
    return lower is not None and lower > 0


def _equal(
    policy: Policy, seasons: int, rng: np.random.Generator, *, candidates: int, looks: int
) -> Guarantee:
    """Look at candidates that are as good as production, each time on rows of its own."""
    alphas = _alphas(policy, candidates * looks)
    hits, tested, lower = (np.zeros(seasons, dtype=np.bool_) for _ in range(3))
    for season in range(seasons):
        for alpha in alphas:
            gain = _equal_gain(rng, _ROWS)
            hits[season] |= _is_better(gain, alpha)
            tested[season] = tested[season] or _is_better(gain, policy.thresholds.alpha)
            lower[season] |= bool(gain.mean() > 0)
    return _verdict(
        f"equal challenger, {candidates} x {looks}",
        hits,
        {"metric-tested": tested, "metric-only": lower},
        limit=policy.thresholds.alpha,
        side="at most",
        about=f"seasons in which one of {candidates} equal candidates, each looked at {looks} "
        f"times on {_ROWS} new rows, is shown better",
    )


def _growing(policy: Policy, seasons: int, rng: np.random.Generator) -> Guarantee:
    """Look at one equal candidate again and again as its labels arrive."""
    alphas = _alphas(policy, _LOOKS)
    hits, tested, lower = (np.zeros(seasons, dtype=np.bool_) for _ in range(3))
    for season in range(seasons):
        gain = _equal_gain(rng, _LOOKS * _ROWS)
        parts = [gain[: (look + 1) * _ROWS] for look in range(_LOOKS)]
        hits[season] = any(map(_is_better, parts, alphas))
        tested[season] = any(_is_better(part, policy.thresholds.alpha) for part in parts)
        lower[season] = any(part.mean() > 0 for part in parts)
    return _verdict(
        f"equal challenger, {_LOOKS} looks on growing labels",
        hits,
        {"metric-tested": tested, "metric-only": lower},
        limit=policy.thresholds.alpha,
        side="at most",
        about=f"seasons in which one equal candidate is shown better on {_ROWS}, {2 * _ROWS} ... "
        f"{_LOOKS * _ROWS:,} rows",
    )


def _creep(policy: Policy, chains: int, rng: np.random.Generator) -> Guarantee:
    """Offer candidates that are each a little worse than what is in production."""
    alphas = _alphas(policy, _MOST_CANDIDATES)
    margin = policy.thresholds.margin_ni

    def shipped(gain: Floats, over_anchor: Floats, loss: float, tried: int) -> bool:
        if not _is_better(gain, alphas[tried]):
            return False
        slack = policy.thresholds.margin_total * loss
        return _is_better(over_anchor + slack, alphas[tried])

    rules: dict[str, Callable[[Floats, Floats, float, int], bool]] = {
        "policy": shipped,
        "metric-only": lambda gain, anchor, loss, tried: bool(gain.mean() > 0),
        "approval-fixed": lambda gain, anchor, loss, tried: _is_better(
            gain + margin * loss, policy.thresholds.alpha
        ),
    }
    ends = {
        name: np.array([_chain(rule, rng) for _ in range(chains)]) for name, rule in rules.items()
    }
    crept = {name: loss > 1 + _CREPT for name, loss in ends.items()}
    hits = crept.pop("policy")
    return _verdict(
        f"creep over chains of {_CHAIN} promotions",
        hits,
        crept,
        limit=policy.thresholds.alpha,
        side="at most",
        about=f"chains whose true loss grew by more than {_CREPT:.0%}; each candidate is "
        f"{_LITTLE:.0%} worse than production, and a chain ends with {_CHAIN} promotions or "
        f"{_MOST_CANDIDATES} candidates",
    )


def _chain(
    promotes: Callable[[Floats, Floats, float, int], bool], rng: np.random.Generator
) -> float:
    """Return the true loss at the end of a chain that began with 1; nobody approves on the way."""
    loss, promotions, tried = 1.0, 0, 0
    for _ in range(_MOST_CANDIDATES):
        gain = _equal_gain(rng, _ROWS) - _LITTLE * loss
        over_anchor = gain + 1.0 - loss
        if promotes(gain, over_anchor, loss, tried):
            loss, promotions, tried = loss * (1 + _LITTLE), promotions + 1, 0
            if promotions == _CHAIN:
                break
        else:
            tried += 1
    return loss


def _harmless(policy: Policy, seasons: int, seed: int) -> Guarantee:
    """Move a column on which nothing depends, and ask at every window whether to train."""
    texts = [
        f"{base}/harmless/{shape}/{size}"
        for base in ("loans", "sea", "sine", "friedman", "rents", "circuit")
        for shape in ("abrupt", "gradual", "recurring")
        for size in (0.25, 0.5, 1.0, 2.0)
    ]
    retrained, above = (np.zeros(seasons, dtype=np.bool_) for _ in range(2))
    setting = GridSetting()
    for season in range(seasons):
        text = texts[season % len(texts)]
        window = drawn(Stream(text, seed + season), setting)
        laps = cut_into_laps(window, windows=setting.windows, final=setting.final, source=text)
        metric = DEFAULT_METRIC[window.schema.task or "regression"]
        course = Course(laps, RECIPE, metric)
        decided = range(1, len(laps) - 1)
        retrained[season] = any(_decays(course, lap, policy) for lap in decided)
        reference = course.loss(0, 0, final=True)
        above[season] = any(course.loss(0, lap) > _TOLERATED * reference for lap in decided)
    return _verdict(
        "retraining on a harmless shift",
        retrained,
        {"error-threshold": above},
        limit=0.05,
        side="at most",
        about=f"streams of {setting.windows - 2} decisions in which a shift that does no harm is "
        "taken for decay",
    )


def _decays(course: Course, lap: int, policy: Policy) -> bool:
    reason = reason_to_train(
        course, Standing(0, 0), lap, prices=Prices(), alpha=policy.thresholds.alpha
    )
    return reason.trains and reason.words.startswith("decay")


def _weaker_effect(rng: np.random.Generator, rows: int, *, shifted: bool) -> Floats:
    """Return log losses of a logistic model whose slope is right, or of .8 instead of 2."""
    x = rng.standard_normal(rows)
    sign = np.where(rng.random(rows) < expit((0.8 if shifted else 2.0) * x), 1.0, -1.0)
    return np.asarray(np.logaddexp(0.0, -sign * 2.0 * x))


def _more_errors(rng: np.random.Generator, rows: int, *, shifted: bool) -> Floats:
    """Return errors of a model that is wrong in 20 of 100 rows, or in 28."""
    return (rng.random(rows) < (0.28 if shifted else 0.20)).astype(np.float64)


def _found(
    seasons: int,
    rng: np.random.Generator,
    name: str,
    draw: Callable[..., Floats],
) -> Guarantee:
    """Let a concept shift of +.08 follow four sound windows, and look after each window."""
    hits, above = (np.zeros(seasons, dtype=np.bool_) for _ in range(2))
    for season in range(seasons):
        reference = draw(rng, 3000, shifted=False)
        sound, later = draw(rng, 4 * _WINDOW, shifted=False), draw(rng, 3 * _WINDOW, shifted=True)
        losses = np.concatenate([sound, later])
        bound = float(np.quantile(reference, 0.995)) or 1.0
        reached = partial(_reached, losses, reference, bound)
        hits[season] = not reached(4) and any(reached(window) for window in (5, 6, 7))
        windows = losses.reshape(-1, _WINDOW).mean(axis=1)
        over = windows > _TOLERATED * reference.mean()
        above[season] = not over[:4].any() and bool(over[4:].any())
    return _verdict(
        f"concept shift of +.08 found, {name}",
        hits,
        {"error-threshold": above},
        limit=0.8,
        side="at least",
        about=f"seasons in which the monitor's e-process alarms within three windows of {_WINDOW} "
        "labels after the shift, and not in the four before",
    )


def _reached(losses: Floats, reference: Floats, bound: float, windows: int) -> bool:
    def rows(count: int) -> Blocks:
        return Blocks(np.arange(count), "rows")

    seen = losses[: windows * _WINDOW]
    found = degradation(
        seen,
        rows(len(seen)),
        reference,
        rows(len(reference)),
        bound=bound,
        thresholds=MonitoringThresholds(),
    )
    return found.level == "reached"
