"""How often was each rule wrong over many streams, and how sure is that?"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.errors import RecordError
from modelwarrant.records import Interval
from modelwarrant.records.backtest import BacktestScore, BacktestSummary, RuleFigures

__all__ = ["scores_table", "summarise"]

_DRAWS: Final = 2000
_ALPHA: Final = 0.025
_ALL: Final = "all"


def summarise(scores: Sequence[BacktestScore], *, seed: int = 0) -> BacktestSummary:
    """Return every rule's figures with bootstrap intervals over streams.

    A stream (a scenario and a seed) is drawn whole: its windows depend on each other.

    Args:
        scores: at least one; a rule, scenario and seed stands once.
        seed: of the bootstrap.

    Raises:
        RecordError: no score, or one that stands twice.
    """
    if not scores:
        raise RecordError("there is no score to summarise")
    ordered = sorted(scores, key=_key)
    doubled = [a for a, b in pairwise(ordered) if _key(a) == _key(b)]
    if doubled:
        raise RecordError(
            "the score of {}, seed {}, rule {} stands twice".format(*_key(doubled[0]))
        )
    rules = tuple(dict.fromkeys(score.rule for score in scores))
    kinds = sorted({_kind(score) for score in ordered})
    return BacktestSummary(
        streams=len({(score.scenario, score.seed) for score in ordered}),
        seeds=len({score.seed for score in ordered}),
        scenarios=tuple(sorted({score.scenario for score in ordered})),
        rules=rules,
        overall=tuple(
            _figures(rule, _ALL, [s for s in ordered if s.rule == rule], seed) for rule in rules
        ),
        by_kind=tuple(
            _figures(rule, kind, chosen, seed)
            for kind in kinds
            for rule in rules
            if (chosen := [s for s in ordered if s.rule == rule and _kind(s) == kind])
        ),
    )


def scores_table(scores: Sequence[BacktestScore]) -> pa.Table:
    """Return one row a decision, sorted: what a Parquet file of the results holds."""
    rows = [
        {
            "scenario": score.scenario,
            "seed": score.seed,
            "rule": score.rule,
            "task": score.task,
            "metric": score.metric,
            **step.model_dump(),
            "loss": step.loss,
        }
        for score in sorted(scores, key=_key)
        for step in score.steps
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("scenario", "rule", "task", "metric")),
        ("seed", pa.int64()),
        ("window", pa.int64()),
        *((name, pa.bool_()) for name in ("trained", "reviewed", "promoted", "wrong", "missed")),
        *((name, pa.string()) for name in ("verdict", "row")),
        *(
            (name, pa.float64())
            for name in ("production_loss", "candidate_loss", "oracle_loss", "loss")
        ),
    ]
)


def _key(score: BacktestScore) -> tuple[str, int, str]:
    return score.scenario, score.seed, score.rule


def _kind(score: BacktestScore) -> str:
    return score.scenario.split("/")[1]


def _figures(rule: str, kind: str, scores: Sequence[BacktestScore], seed: int) -> RuleFigures:
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(scores), (_DRAWS, len(scores)))
    decisions = np.array([len(score.steps) for score in scores], dtype=np.float64)

    def per_hundred(count: Callable[[BacktestScore], float]) -> Interval:
        counts = np.array([count(score) for score in scores], dtype=np.float64)
        return _interval(
            100 * counts.sum() / decisions.sum(),
            100 * counts[draws].sum(axis=1) / decisions[draws].sum(axis=1),
        )

    regrets = 100 * np.array([score.regret for score in scores])
    return RuleFigures(
        rule=rule,
        kind=kind,
        streams=len(scores),
        decisions=int(decisions.sum()),
        promotions=sum(score.promotions for score in scores),
        wrong=_or_unseen(per_hundred(lambda score: score.wrong), int(decisions.sum())),
        missed=_or_unseen(per_hundred(lambda score: score.missed), int(decisions.sum())),
        reviews=per_hundred(lambda score: score.reviews),
        trainings=per_hundred(lambda score: score.trainings),
        regret=_interval(float(regrets.mean()), regrets[draws].mean(axis=1)),
    )


def _interval(estimate: float, drawn: npt.NDArray[np.float64]) -> Interval:
    low, high = np.quantile(drawn, [_ALPHA, 1 - _ALPHA])
    return Interval(
        estimate=float(estimate),
        lower=float(low),
        upper=float(high),
        alpha=_ALPHA,
        method=f"bootstrap over streams, {_DRAWS:,} draws",
    )


def _or_unseen(found: Interval, decisions: int) -> Interval:
    """Return an interval that says how much none seen leaves open: a bootstrap of zeros does not.

    Exact for independent decisions: with probability alpha a share of 1 - alpha^(1/n) stays unseen.
    """
    if found.estimate > 0 or not decisions:
        return found
    upper = 100 * (1 - _ALPHA ** (1 / decisions))
    method = f"none seen in {decisions:,} decisions, taken as independent"
    return found.model_copy(update={"upper": upper, "method": method})
