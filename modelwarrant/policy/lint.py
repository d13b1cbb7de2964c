"""Is a policy total, free of dead rows, and closed against weak evidence?

Not sampled but proven: every combination of levels is enumerated, 2.7 million of them, as one bit
array with an axis a level.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from modelwarrant.policy.levels import BARRIERS, LEVELS, ORDERED, RANK, VERDICTS
from modelwarrant.policy.table import Policy

__all__ = ["lint"]

_AXES = tuple(LEVELS)
_SHAPE = tuple(len(values) for values in LEVELS.values())

_IMPOSSIBLE: tuple[Mapping[str, tuple[str, ...]], ...] = (
    {"production": ("none",), "identical": ("yes",)},
    {"production": ("none",), "champion": ("ok", "degraded")},
)
"""Combinations that no evidence gives: a row that only they reach is dead."""

Bits = npt.NDArray[np.bool_]


def lint(policy: Policy) -> tuple[str, ...]:
    """Return every finding about a policy; empty means proven.

    * total: some row matches every combination of levels;
    * no row is unreachable;
    * fail-closed: no row goes further than a barrier allows (``levels.BARRIERS``);
    * monotonic: where only one level gets worse, the verdict comes no nearer to promotion.

    >>> from modelwarrant.policy import default_policy
    >>> lint(default_policy())
    ()
    """
    winner = np.full(_SHAPE, -1, dtype=np.int8 if len(policy.rows) < 128 else np.int32)
    left = np.ones(_SHAPE, dtype=np.bool_)
    possible = np.ones(_SHAPE, dtype=np.bool_)
    for condition in _IMPOSSIBLE:
        possible &= ~_where(condition)
    findings = []
    for index, row in enumerate(policy.rows):
        met = np.zeros(_SHAPE, dtype=np.bool_)
        for condition in row.any_of:
            met |= _where(condition)
        met &= left
        winner[met] = index
        left &= ~met
        if not (met & possible).any():
            findings.append(
                f"row {row.name!r} can never decide: the rows above it take every case, "
                "or no evidence has its levels"
            )
    if left.any():
        findings.append(f"no row decides when {_example(left)}: add a last row without 'if'")
    findings += _barrier_findings(policy, winner)
    ranks = np.array([RANK[row.verdict] for row in policy.rows] + [0], dtype=np.int8)
    findings += _order_findings(policy, winner, ranks[winner])
    return tuple(findings)


def _where(condition: Mapping[str, tuple[str, ...]]) -> Bits:
    """Return where a condition is met, of a shape that broadcasts to all combinations."""
    met = np.ones((1,) * len(_AXES), dtype=np.bool_)
    for axis, name in enumerate(_AXES):
        if name in condition:
            shape = [1] * len(_AXES)
            shape[axis] = -1
            met = met & np.array([v in condition[name] for v in LEVELS[name]]).reshape(shape)
    return met


def _barrier_findings(policy: Policy, winner: npt.NDArray[np.signedinteger]) -> Iterator[str]:
    for barrier in BARRIERS:
        behind = np.broadcast_to(_where(barrier.when), _SHAPE)
        for index in np.unique(winner[behind]):
            if index < 0 or RANK[policy.rows[index].verdict] <= RANK[barrier.most]:
                continue
            row = policy.rows[index]
            yield (
                f"row {row.name!r} says {row.verdict} although {barrier.why}, for example when "
                f"{_example(behind & (winner == index))}; at most {barrier.most} is possible"
            )


def _order_findings(
    policy: Policy, winner: npt.NDArray[np.signedinteger], rank: npt.NDArray[np.int8]
) -> Iterator[str]:
    """Find neighbours along an ordered level of which the worse one is nearer to promotion."""
    seen = set()
    for axis, name in enumerate(_AXES):
        if name not in ORDERED or name == "evidence":
            continue
        ranks, winners = np.moveaxis(rank, axis, 0), np.moveaxis(winner, axis, 0)
        for step, value in enumerate(LEVELS[name][:-1]):
            wrong = (ranks[step] > ranks[step + 1]) & (winners[step + 1] >= 0)
            if not wrong.any():
                continue
            index = int(winners[step][wrong][0])
            if (name, index) in seen:
                continue
            seen.add((name, index))
            row, better = policy.rows[index], LEVELS[name][step + 1]
            yield (
                f"row {row.name!r} says {row.verdict} when {name} is {value}, and with {better} "
                f"the verdict is further from promotion: {VERDICTS[0]} or HOLD must not become "
                "better by worse evidence"
            )


def _example(bits: Bits) -> str:
    """Return the first combination that is set, in words."""
    first = np.unravel_index(int(np.argmax(bits)), _SHAPE)
    return ", ".join(
        f"{name} {LEVELS[name][int(index)]}" for name, index in zip(_AXES, first, strict=True)
    )
