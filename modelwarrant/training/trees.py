"""How are fitted trees written as ONNX without losing a bit?

As one ``ai.onnx.ml`` 5 ``TreeEnsemble`` with double thresholds, the learned routing of missing
values, and set membership for categories. skl2onnx 1.20 rounds thresholds to float32 and loses
categories and missing values: of 10,000 answers 2,169 were wrong with categories, 900 with NaN.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from modelwarrant.bundle import INPUT
from modelwarrant.training.graph import Graph

__all__ = ["Tree", "add_trees"]

_LEQ, _MEMBER = 0, 6
_SUM = 1
_NO_TRANSFORM = 0


@dataclass(frozen=True)
class Tree:
    """One fitted tree in arrays over its nodes; node 0 is the root.

    ``left`` is taken where ``value <= threshold``, or where the value is one of ``members``.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    is_leaf: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    """What a leaf adds."""
    members: Mapping[int, Sequence[float]]
    """Values that go left, for the nodes that split by membership."""
    target: int = 0
    """Output column that the tree adds to."""


def add_trees(graph: Graph, trees: Iterable[Tree], *, n_targets: int, rows: str = INPUT) -> str:
    """Add an ensemble that sums its trees' leaves; return the output, [None, n_targets] double."""
    parts = _Parts()
    for tree in trees:
        parts.append(tree)
    return graph.add(
        "TreeEnsemble", rows, domain="ai.onnx.ml", **parts.attributes(n_targets=n_targets)
    )


class _Parts:
    """The attributes of a TreeEnsemble, tree after tree."""

    def __init__(self) -> None:
        self._feature: list[npt.NDArray[np.int64]] = []
        self._split: list[npt.NDArray[np.float64]] = []
        self._mode: list[npt.NDArray[np.uint8]] = []
        self._yes: list[npt.NDArray[np.int64]] = []
        self._no: list[npt.NDArray[np.int64]] = []
        self._yes_leaf: list[npt.NDArray[np.int64]] = []
        self._no_leaf: list[npt.NDArray[np.int64]] = []
        self._missing: list[npt.NDArray[np.int64]] = []
        self._members: list[float] = []
        self._leaf_target: list[npt.NDArray[np.int64]] = []
        self._leaf_weight: list[npt.NDArray[np.float64]] = []
        self._roots: list[int] = []
        self._n_nodes = 0
        self._n_leaves = 0

    def append(self, tree: Tree) -> None:
        """Add a tree; inner nodes and leaves are numbered apart."""
        inner, leaves = np.flatnonzero(~tree.is_leaf), np.flatnonzero(tree.is_leaf)
        self._leaf_weight.append(tree.value[leaves])
        self._leaf_target.append(np.full(len(leaves), tree.target))
        self._roots.append(self._n_nodes)
        if len(inner) == 0:
            self._append_constant()
        else:
            self._append_inner(tree, inner, leaves)
        self._n_leaves += len(leaves)

    def _append_constant(self) -> None:
        """A root that is a leaf: a node whose both sides are that leaf."""
        one = np.zeros(1, dtype=np.int64)
        leaf = one + self._n_leaves
        self._add(one, np.zeros(1), np.zeros(1, np.uint8), leaf, leaf, one + 1, one + 1, one)

    def _append_inner(
        self, tree: Tree, inner: npt.NDArray[np.int64], leaves: npt.NDArray[np.int64]
    ) -> None:
        number = np.empty(len(tree.is_leaf), dtype=np.int64)
        number[inner] = self._n_nodes + np.arange(len(inner))
        number[leaves] = self._n_leaves + np.arange(len(leaves))
        modes = np.full(len(inner), _LEQ, dtype=np.uint8)
        for place, node in enumerate(inner.tolist()):
            if node in tree.members:
                modes[place] = _MEMBER
                self._members.extend((*tree.members[node], float("nan")))
        left, right = tree.left[inner], tree.right[inner]
        splits = np.where(modes == _MEMBER, 0.0, tree.threshold[inner])
        self._add(
            tree.feature[inner],
            splits,
            modes,
            number[left],
            number[right],
            tree.is_leaf[left].astype(np.int64),
            tree.is_leaf[right].astype(np.int64),
            tree.missing_left[inner].astype(np.int64),
        )

    def _add(
        self,
        feature: npt.NDArray[np.int64],
        split: npt.NDArray[np.float64],
        mode: npt.NDArray[np.uint8],
        yes: npt.NDArray[np.int64],
        no: npt.NDArray[np.int64],
        yes_leaf: npt.NDArray[np.int64],
        no_leaf: npt.NDArray[np.int64],
        missing: npt.NDArray[np.int64],
    ) -> None:
        self._feature.append(feature)
        self._split.append(split)
        self._mode.append(mode)
        self._yes.append(yes)
        self._no.append(no)
        self._yes_leaf.append(yes_leaf)
        self._no_leaf.append(no_leaf)
        self._missing.append(missing)
        self._n_nodes += len(feature)

    def attributes(self, *, n_targets: int) -> dict[str, Any]:
        """Return the operator's attributes."""

        def ints(parts: list[npt.NDArray[np.int64]]) -> list[int]:
            return [int(value) for value in np.concatenate(parts).tolist()]

        found: dict[str, Any] = {
            "n_targets": n_targets,
            "aggregate_function": _SUM,
            "post_transform": _NO_TRANSFORM,
            "tree_roots": self._roots,
            "nodes_featureids": ints(self._feature),
            "nodes_splits": _tensor(np.concatenate(self._split), "splits"),
            "nodes_modes": _tensor(np.concatenate(self._mode), "modes"),
            "nodes_truenodeids": ints(self._yes),
            "nodes_falsenodeids": ints(self._no),
            "nodes_trueleafs": ints(self._yes_leaf),
            "nodes_falseleafs": ints(self._no_leaf),
            "nodes_missing_value_tracks_true": ints(self._missing),
            "leaf_targetids": ints(self._leaf_target),
            "leaf_weights": _tensor(np.concatenate(self._leaf_weight), "weights"),
        }
        if self._members:
            found["membership_values"] = _tensor(np.array(self._members), "members")
        return found


def _tensor(values: npt.NDArray[Any], name: str) -> Any:
    return numpy_helper.from_array(values, name)
