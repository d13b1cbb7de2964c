"""Where does one rule do better than another on the same streams, and where worse?

Declared before looking: false promotions against the usual rule with as many reviews, and costs
against every other rule in every group.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.backtest.resampling import over_streams
from modelwarrant.backtest.streams import GROUPS, key_of
from modelwarrant.records.backtest import BacktestScore, Difference, Prices

__all__ = ["COMPARED", "declared_differences"]

Floats = npt.NDArray[np.float64]
Members = Mapping[str, Mapping[str, Sequence[BacktestScore]]]

_AT_EQUAL_REVIEWS: Final = (
    ("policy-reviewed", "metric-only-as-policy"),
    ("warrant-reviewed", "metric-only-as-warrant"),
)
COMPARED: Final = ("warrant-refused", "warrant-approved", "warrant-reviewed")
"""Rules whose costs are compared with every other's."""
_APART: Final = frozenset({"oracle", *COMPARED})


def declared_differences(members: Members, prices: Prices, *, seed: int) -> Iterator[Difference]:
    """Yield every declared difference whose two rules ran over the same streams.

    Args:
        members: scores by group and rule, sorted by stream.
        prices: of acts and errors.
        seed: of the bootstrap.
    """
    overall = members.get("all", {})
    for rule, against in _AT_EQUAL_REVIEWS:
        if rule in overall and against in overall:
            ours, theirs = overall[rule], overall[against]
            about = "false promotions a hundred decisions, at the same number of reviews"
            yield _difference("wrong", ours, theirs, _wrong(ours), _wrong(theirs), seed, about)
    if "policy-reviewed" in overall and "metric-only" in overall:
        ours, theirs = overall["policy-reviewed"], overall["metric-only"]
        reviews = np.array([float(score.reviews) for score in ours])
        least = np.maximum(_wrong(theirs) - reviews, 0.0)
        about = "as if each of as many reviews had caught a false promotion"
        yield _difference("wrong", ours, theirs, _wrong(ours), least, seed, about)
    for group in GROUPS:
        for rule in COMPARED:
            yield from _costs(rule, group, members.get(group, {}), prices, seed)


def _costs(
    rule: str,
    group: str,
    by_rule: Mapping[str, Sequence[BacktestScore]],
    prices: Prices,
    seed: int,
) -> Iterator[Difference]:
    if rule not in by_rule:
        return
    ours = by_rule[rule]
    for against, theirs in by_rule.items():
        if against in _APART or against.startswith("control-"):
            continue
        costs = [np.array([each.cost(prices) for each in scores]) for scores in (ours, theirs)]
        yield _difference("cost", ours, theirs, costs[0], costs[1], seed, "a window", group)


def _wrong(scores: Sequence[BacktestScore]) -> Floats:
    return np.array([float(score.wrong) for score in scores])


def _difference(
    figure: str,
    ours: Sequence[BacktestScore],
    theirs: Sequence[BacktestScore],
    values: Floats,
    others: Floats,
    seed: int,
    about: str,
    group: str = "all",
) -> Difference:
    """Pair two rules by stream; the weights are the windows decided on."""
    if [key_of(score) for score in ours] != [key_of(score) for score in theirs]:
        raise ValueError(f"{ours[0].rule} and {theirs[0].rule} ran over different streams")
    windows = np.array([float(len(score.steps)) for score in ours])
    per = 100.0 if figure == "wrong" else 1.0
    found = over_streams(len(ours), seed=seed).difference(per * values, per * others, windows)
    return Difference.model_validate(
        {
            "figure": figure,
            "rule": ours[0].rule,
            "against": theirs[0].rule,
            "group": group,
            "streams": len(ours),
            "difference": found,
            "about": about,
        }
    )
