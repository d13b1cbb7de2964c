"""Which rows reach each node of fitted trees, and stand on both sides of its split?

A value beside a threshold says nothing of a converter unless the row arrives at the node that
holds the threshold. Of single thresholds moved by one ulp in 50 boosted trees, rows that change one
value of a training row found 22 to 40 %; rows that are led down the tree find all that can change
an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.training.fitted import Floats, Ints
from modelwarrant.training.trees import Tree

__all__ = ["STARTS", "Column", "Compared", "node_rows"]

STARTS = 64
"""Training rows that ways through trees begin with."""

_WIDEST = 2048
"""Nodes of one depth, over all trees, that are followed further; others are left out evenly."""
_MOST_CODES = 16
"""Levels tried at a node; each node starts at another one, so all are tried somewhere."""
_BEYOND = 1e300
"""scikit-learn's threshold between every number and missing."""


Compared = Literal["double", "float32", "whole", "level"]
"""How trees compare a value: as it is, rounded, as a whole number, or by membership."""


@dataclass(frozen=True)
class Column:
    """One column of the matrix that trees split."""

    position: int
    """Of the feature in the schema."""
    kind: Compared
    missing: bool = False
    """Whether NaN may come to the tree."""
    n_levels: int = 0


@dataclass(frozen=True)
class _Nodes:
    """The nodes of all trees in one numbering."""

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    is_leaf: npt.NDArray[np.bool_]
    members: dict[int, frozenset[float]]
    roots: Ints


def node_rows(
    trees: Sequence[Tree], columns: Sequence[Column], starts: Floats
) -> tuple[Floats, Ints]:
    """Lead rows to every node and leaf, changing them no more than the splits demand.

    Args:
        trees: fitted trees over a matrix of k columns.
        columns: the k columns.
        starts: (m, k) rows of the matrix that the ways begin with, one a tree in turn.

    Returns:
        (n, k) rows of the matrix: at each inner node the threshold and its neighbours, or a sample
        of levels, and missing where that may come; one row a leaf. And (n,) the schema's position
        of the feature that was changed last. A split that no row can pass has no rows.
    """
    nodes = _joined(trees)
    at, rows = nodes.roots, starts[np.arange(len(nodes.roots)) % len(starts)]
    last = np.zeros(len(at), dtype=np.int64)
    made: list[Floats] = []
    changed: list[Ints] = []
    while len(at):
        kept = slice(None, None, -(-len(at) // _WIDEST))
        at, rows, last = at[kept], rows[kept], last[kept]
        leaf = nodes.is_leaf[at]
        made.append(rows[leaf])
        changed.append(last[leaf])
        at, rows = at[~leaf], rows[~leaf]
        for values, places in _values(nodes, columns, at):
            tried = rows[places].copy()
            tried[np.arange(len(tried)), nodes.feature[at[places]]] = values
            made.append(tried)
            changed.append(nodes.feature[at[places]])
        at, rows, last = _children(nodes, columns, at, rows)
    positions = np.array([column.position for column in columns], dtype=np.int64)
    return np.concatenate(made), positions[np.concatenate(changed)]


def _joined(trees: Sequence[Tree]) -> _Nodes:
    sizes = np.array([len(tree.is_leaf) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    shifts = np.repeat(roots, sizes)
    return _Nodes(
        left=np.concatenate([tree.left for tree in trees]) + shifts,
        right=np.concatenate([tree.right for tree in trees]) + shifts,
        feature=np.concatenate([tree.feature for tree in trees]),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        missing_left=np.concatenate([tree.missing_left for tree in trees]),
        is_leaf=np.concatenate([tree.is_leaf for tree in trees]),
        members={
            int(root) + node: frozenset(members)
            for root, tree in zip(roots, trees, strict=True)
            for node, members in tree.members.items()
        },
        roots=roots,
    )


def _children(
    nodes: _Nodes, columns: Sequence[Column], at: Ints, rows: Floats
) -> tuple[Ints, Floats, Ints]:
    """Return both children of each node with a row that arrives there, where one can."""
    feature = nodes.feature[at]
    value = rows[np.arange(len(at)), feature]
    lower, upper = _sides(nodes, columns, at)
    goes_left = _goes_left(nodes, at, value)
    left, right = rows.copy(), rows.copy()
    places = np.arange(len(at))
    left[places[~goes_left], feature[~goes_left]] = lower[~goes_left]
    right[places[goes_left], feature[goes_left]] = upper[goes_left]
    # Only missing values, or none at all, may pass a split: then the row is not led on.
    passes_left = _goes_left(nodes, at, left[places, feature])
    passes_right = ~_goes_left(nodes, at, right[places, feature])
    return (
        np.concatenate([nodes.left[at][passes_left], nodes.right[at][passes_right]]),
        np.concatenate([left[passes_left], right[passes_right]]),
        np.concatenate([feature[passes_left], feature[passes_right]]),
    )


def _goes_left(nodes: _Nodes, at: Ints, value: Floats) -> npt.NDArray[np.bool_]:
    missing = np.isnan(value)
    goes = np.where(missing, nodes.missing_left[at], value <= nodes.threshold[at])
    for place in _member_places(nodes, at):
        if not missing[place]:
            goes[place] = float(value[place]) in nodes.members[int(at[place])]
    return goes


def _sides(nodes: _Nodes, columns: Sequence[Column], at: Ints) -> tuple[Floats, Floats]:
    """Return a value a node that goes left, and one that goes right."""
    threshold = nodes.threshold[at]
    lower, upper = threshold.copy(), np.nextafter(threshold, np.inf)
    kinds = np.array([column.kind for column in columns])[nodes.feature[at]]
    rounded = kinds == "float32"
    lower[rounded], upper[rounded] = _float32_sides(threshold[rounded])
    whole = kinds == "whole"
    lower[whole], upper[whole] = np.floor(threshold[whole]), np.floor(threshold[whole]) + 1.0
    beyond = ~(np.abs(threshold) < _BEYOND)
    lower[beyond], upper[beyond] = 0.0, np.nan
    may_miss = np.array([column.missing for column in columns])
    for place in _member_places(nodes, at):
        members = nodes.members[int(at[place])]
        codes = np.arange(-1.0, columns[nodes.feature[at[place]]].n_levels)
        held = [code in members for code in codes.tolist()]
        lower[place] = codes[held.index(True)] if True in held else np.nan
        upper[place] = codes[held.index(False)] if False in held else np.nan
    forbidden = ~may_miss[nodes.feature[at]]
    lower[forbidden & np.isnan(lower)] = 0.0
    upper[forbidden & np.isnan(upper)] = 0.0
    return lower, upper


def _float32_sides(threshold: Floats) -> tuple[Floats, Floats]:
    """Return the float32 values next to thresholds, at most them and above them."""
    near = threshold.astype(np.float32)
    lower = np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
    upper = np.nextafter(lower, np.float32(np.inf))
    return lower.astype(np.float64), upper.astype(np.float64)


def _values(nodes: _Nodes, columns: Sequence[Column], at: Ints) -> list[tuple[Floats, Ints]]:
    """Return values to try, each with the places in ``at`` of their nodes."""
    kinds = np.array([column.kind for column in columns])[nodes.feature[at]]
    may_miss = np.array([column.missing for column in columns])[nodes.feature[at]]
    bounded = np.abs(nodes.threshold[at]) < _BEYOND
    found: list[tuple[Floats, Ints]] = []
    places = np.flatnonzero((kinds == "double") & bounded)
    split = nodes.threshold[at[places]]
    for values in (split, np.nextafter(split, -np.inf), np.nextafter(split, np.inf)):
        found.append((values, places))
    places = np.flatnonzero((kinds == "float32") & bounded)
    split = nodes.threshold[at[places]]
    lower, upper = _float32_sides(split)
    # Half way between two float32 values rounding decides, and doubles beside it round apart.
    half = lower / 2.0 + upper / 2.0
    for values in (lower, split, half, upper):
        found.append((values, places))
    places = np.flatnonzero(kinds == "whole")
    split = np.floor(nodes.threshold[at[places]])
    found += [(split, places), (split + 1.0, places)]
    for place in _member_places(nodes, at):
        codes = np.arange(-1.0, columns[nodes.feature[at[place]]].n_levels)
        step = -(-len(codes) // _MOST_CODES)
        codes = codes[int(at[place]) % step :: step]
        found.append((codes, np.full(len(codes), place)))
    places = np.flatnonzero(may_miss)
    found.append((np.full(len(places), np.nan), places))
    return found


def _member_places(nodes: _Nodes, at: Ints) -> list[int]:
    if not nodes.members:
        return []
    return [place for place, node in enumerate(at.tolist()) if node in nodes.members]
