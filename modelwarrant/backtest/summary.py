"""How often was each rule wrong over many streams, what did it cost, and how sure is that?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.backtest.differences import declared_differences
from modelwarrant.backtest.resampling import Resampled, over_streams
from modelwarrant.backtest.streams import StreamKey, groups_of, key_of
from modelwarrant.errors import RecordError
from modelwarrant.records import Interval
from modelwarrant.records.backtest import (
    BacktestScore,
    BacktestStep,
    BacktestSummary,
    Guarantee,
    Prices,
    RuleFigures,
)

__all__ = ["scores_table", "summarise"]

Floats = npt.NDArray[np.float64]

_DEGRADED: Final = 1.1
"""Production is degraded where its loss is above this many times the oracle's."""
_FAULT_ROWS: Final = frozenset({"data-fault", "contract"})
"""Rows of the policy by which the owner of the data is told."""


def summarise(
    scores: Sequence[BacktestScore],
    *,
    guarantees: Iterable[Guarantee] = (),
    prices: Prices | None = None,
    seed: int = 0,
) -> BacktestSummary:
    """Return every rule's figures with bootstrap intervals over streams.

    A stream (a scenario and a seed) is drawn whole: its windows depend on each other.

    Args:
        scores: at least one; a rule, scenario and seed stands once.
        guarantees: what was checked beside.
        prices: of acts and errors; None takes the declared ones.
        seed: of the bootstrap.

    Raises:
        RecordError: no score, or one that stands twice.
    """
    if not scores:
        raise RecordError("there is no score to summarise")
    ordered = sorted(scores, key=_order)
    doubled = [a for a, b in pairwise(ordered) if _order(a) == _order(b)]
    if doubled:
        raise RecordError(
            "the score of {}, seed {}, rule {} stands twice".format(*_order(doubled[0]))
        )
    rules = tuple(dict.fromkeys(score.rule for score in scores))
    paid = prices or Prices()
    members: dict[str, dict[str, list[BacktestScore]]] = {}
    for score in ordered:
        for group in groups_of(score):
            members.setdefault(group, {}).setdefault(score.rule, []).append(score)
    harmed = _harmed(ordered)
    figures = {
        group: tuple(
            _figures(rule, group, by_rule[rule], harmed, paid, seed)
            for rule in rules
            if rule in by_rule
        )
        for group, by_rule in members.items()
    }
    return BacktestSummary(
        streams=len({key_of(score) for score in ordered}),
        seeds=len({score.seed for score in ordered}),
        scenarios=tuple(sorted({score.scenario for score in ordered})),
        rules=rules,
        overall=figures.pop("all", ()),
        by_group=tuple(each for group in sorted(figures) for each in figures[group]),
        differences=tuple(declared_differences(members, paid, seed=seed)),
        guarantees=tuple(guarantees),
        prices=paid,
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
            "unit": score.unit,
            **step.model_dump(),
            "loss": step.loss,
        }
        for score in sorted(scores, key=_order)
        for step in score.steps
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("scenario", "rule", "task", "metric")),
        ("seed", pa.int64()),
        ("window", pa.int64()),
        *((name, pa.bool_()) for name in ("trained", "reviewed", "promoted", "wrong", "missed")),
        *((name, pa.string()) for name in ("verdict", "row", "why")),
        *((name, pa.int64()) for name in ("rows", "labels", "asked")),
        *(
            (name, pa.float64())
            for name in ("production_loss", "candidate_loss", "oracle_loss", "loss", "unit")
        ),
    ]
)


def _order(score: BacktestScore) -> tuple[str, int, str]:
    return score.scenario, score.seed, score.rule


def _is_degraded(loss: float, step: BacktestStep) -> bool:
    return loss > _DEGRADED * step.oracle_loss


def _after(score: BacktestScore) -> tuple[BacktestStep, ...]:
    """Return the decisions that could know of the shift; none without one."""
    if score.shifted is None:
        return ()
    return tuple(step for step in score.steps if step.window >= score.shifted)


def _harmed(scores: Sequence[BacktestScore]) -> frozenset[StreamKey]:
    """Return the streams in which the first model would be degraded after the shift.

    Where nobody kept the first model, the streams in which any rule's production is.
    """
    kept = [score for score in scores if score.rule == "never"] or scores
    return frozenset(
        key_of(score)
        for score in kept
        if any(_is_degraded(step.production_loss, step) for step in _after(score))
    )


@dataclass(frozen=True)
class _Counts:
    """What one score adds to its rule's figures."""

    score: BacktestScore
    is_harmed: bool

    @property
    def degraded(self) -> list[BacktestStep]:
        return [step for step in _after(self.score) if _is_degraded(step.production_loss, step)]

    @property
    def unanswered(self) -> int:
        return sum(
            not (step.promoted or step.reviewed or step.asked or step.row in _FAULT_ROWS)
            for step in self.degraded
        )

    @property
    def delay(self) -> int:
        """Windows after the shift until production is restored."""
        after = _after(self.score) if self.is_harmed else ()
        for place, step in enumerate(after):
            if not _is_degraded(step.loss, step):
                return place
        return len(after)


def _figures(
    rule: str,
    group: str,
    scores: Sequence[BacktestScore],
    harmed: frozenset[StreamKey],
    prices: Prices,
    seed: int,
) -> RuleFigures:
    counts = [_Counts(score, key_of(score) in harmed) for score in scores]
    decisions = np.array([len(score.steps) for score in scores], dtype=np.float64)
    streams = over_streams(len(scores), seed=seed)

    def a_hundred(values: list[int]) -> Interval:
        return streams.ratio(100 * np.array(values, dtype=np.float64), decisions)

    def seen(values: list[int]) -> Interval:
        return _or_unseen(a_hundred(values), int(decisions.sum()))

    def a_window(values: list[float]) -> Interval:
        return streams.ratio(np.array(values, dtype=np.float64), decisions)

    degraded = np.array([len(each.degraded) for each in counts], dtype=np.float64)
    answers = np.array([each.unanswered for each in counts], dtype=np.float64)
    delays = np.array([each.delay for each in counts if each.is_harmed], dtype=np.float64)
    return RuleFigures(
        rule=rule,
        group=group,
        streams=len(scores),
        decisions=int(decisions.sum()),
        promotions=sum(score.promotions for score in scores),
        wrong=seen([score.wrong for score in scores]),
        harmful=seen([score.harmful for score in scores]),
        missed=seen([score.missed for score in scores]),
        reviews=a_hundred([score.reviews for score in scores]),
        trainings=a_hundred([score.trainings for score in scores]),
        unanswered=_where(degraded > 0, 100 * answers, degraded, seed),
        delay=_where(np.ones(len(delays), dtype=np.bool_), delays, np.ones(len(delays)), seed),
        regret=streams.ratio(
            100 * np.array([score.regret for score in scores]), np.ones(len(scores))
        ),
        labels=a_window([sum(step.labels for step in score.steps) for score in scores]),
        cost=a_window([score.cost(prices) for score in scores]),
    )


def _where(
    chosen: npt.NDArray[np.bool_], values: Floats, weights: Floats, seed: int
) -> Interval | None:
    """Return a ratio over some of the streams; None where there is none of them."""
    if not chosen.any():
        return None
    streams: Resampled = over_streams(int(chosen.sum()), seed=seed)
    return streams.ratio(values[chosen], weights[chosen])


def _or_unseen(found: Interval, decisions: int) -> Interval:
    """Return an interval that says how much none seen leaves open: a bootstrap of zeros does not.

    Exact for independent decisions: with probability alpha a share of 1 - alpha^(1/n) stays unseen.
    """
    if found.estimate > 0 or not decisions:
        return found
    upper = 100 * (1 - found.alpha ** (1 / decisions))
    method = f"none seen in {decisions:,} decisions, taken as independent"
    return found.model_copy(update={"upper": upper, "method": method})
