"""Which streams have something in common, so that their figures are given together?"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from modelwarrant.backtest.grid import SHUFFLED, TABLES
from modelwarrant.records.backtest import BacktestScore
from modelwarrant.simulation.faults import FAULTS

__all__ = ["GROUPS", "StreamKey", "groups_of", "key_of"]

StreamKey = tuple[str, int]
"""Scenario and seed."""

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "none": "no shift",
        "covariate": "covariate shift",
        "covariate_joint": "covariate shift",
        "prior": "prior shift",
        "concept": "concept shift",
        "concept_subgroup": "concept shift in a subgroup",
        "harmless": "harmless shift",
        "label_noise": "label noise",
        SHUFFLED: "shuffled labels",
    }
)
_MOVING: Final = frozenset({"covariate", "covariate_joint", "prior", "concept", "concept_subgroup"})
_FOR_EVER, _MENDED = "data fault, for ever", "data fault, mended"

GROUPS: Final = (
    *("all", "classification", "regression", "simulated", "real table"),
    *dict.fromkeys(_KINDS.values()),
    *(f"{shape} shift" for shape in ("abrupt", "gradual", "incremental", "recurring")),
    *(_FOR_EVER, _MENDED),
)
"""Every group there can be, in the order in which a page shows them."""


def key_of(score: BacktestScore) -> StreamKey:
    """Return which stream a score is of."""
    return score.scenario, score.seed


def groups_of(score: BacktestScore) -> tuple[str, ...]:
    """Return the groups that a score counts in.

    Streams with shuffled labels are a control, and count in no other group.
    """
    base, kind, *rest = score.scenario.split("/")
    shape = rest[0] if rest else "abrupt"
    if kind == SHUFFLED:
        return (_KINDS[kind],)
    groups = ["all", score.task, "real table" if base in TABLES else "simulated"]
    if kind in FAULTS:
        groups.append(_MENDED if shape == "passing" else _FOR_EVER)
    else:
        groups.append(_KINDS[kind])
    if kind in _MOVING and shape != "passing":
        groups.append(f"{shape} shift")
    return tuple(groups)
