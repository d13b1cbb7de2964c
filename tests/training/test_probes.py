"""Hard rows arrive at the nodes they are made for, so one wrong node is enough to be refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from modelwarrant.errors import ParityError
from modelwarrant.records import Recipe
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import Fitted
from modelwarrant.training.parity import check_parity
from modelwarrant.training.probes import Column, node_rows
from modelwarrant.training.recipes import fit_recipe
from modelwarrant.training.trees import Tree
from tests.training.made_rows import mixed_examples, recipe

_LEQ, _MEMBER = 0, 6


def small_boosting() -> Recipe:
    """Return a recipe of few nodes, each of which a test can spoil."""
    return recipe("hist_gradient_boosting", max_iter=4, max_leaf_nodes=8)


def tree_node(model: onnx.ModelProto) -> dict[str, onnx.AttributeProto]:
    """Return the attributes of a model's ensemble."""
    node = next(each for each in model.graph.node if each.op_type == "TreeEnsemble")
    return {attribute.name: attribute for attribute in node.attribute}


def split_nodes(fitted: Fitted, examples: Examples, mode: int) -> list[int]:
    """Return the nodes that split numbers, or levels."""
    held = tree_node(onnx.load_from_string(fitted.onnx))
    features = [examples.schema.features[i] for i in held["nodes_featureids"].ints]
    return [
        node
        for node, found in enumerate(numpy_helper.to_array(held["nodes_modes"].t))
        if found == mode and features[node].kind != "boolean"
    ]


def changed_tensor(fitted: Fitted, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Fitted:
    """Return the fitted model with one tensor of its ensemble changed."""
    model = onnx.load_from_string(fitted.onnx)
    tensor = tree_node(model)[name].t
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor).copy()), name))
    return replace(fitted, onnx=model.SerializeToString())


def is_refused(spoiled: Fitted, examples: Examples) -> bool:
    """Return whether the gate finds the fault."""
    try:
        check_parity(spoiled, examples)
    except ParityError:
        return True
    return False


@pytest.mark.parametrize("towards", [-np.inf, np.inf], ids=["down", "up"])
def test_every_threshold_is_held_to_its_last_bit(towards: float) -> None:
    """A model with any one threshold moved by one ulp, either way, is refused."""
    examples = mixed_examples("binary")
    fitted = fit_recipe(small_boosting(), examples)
    nodes = split_nodes(fitted, examples, _LEQ)

    def moved(node: int) -> Fitted:
        def change(splits: np.ndarray) -> np.ndarray:
            splits[node] = np.nextafter(splits[node], towards)
            return splits

        return changed_tensor(fitted, "nodes_splits", change)

    missed = [node for node in nodes if not is_refused(moved(node), examples)]

    assert len(nodes) >= 10
    assert [] == missed


def test_every_level_of_every_set_is_held() -> None:
    """A model with any one level taken out of one node's set is refused."""
    examples = mixed_examples("binary", missing=False)
    fitted = fit_recipe(small_boosting(), examples)
    model = onnx.load_from_string(fitted.onnx)
    members = numpy_helper.to_array(tree_node(model)["membership_values"].t)
    levels = [place for place, value in enumerate(members) if not np.isnan(value)]

    def without(place: int) -> Fitted:
        def change(values: np.ndarray) -> np.ndarray:
            values[place] = -9.0  # a code that no row has: the set keeps its place
            return values

        return changed_tensor(fitted, "membership_values", change)

    missed = [place for place in levels if not is_refused(without(place), examples)]

    assert len(levels) >= 4
    assert [] == missed


@pytest.mark.parametrize("target", ["binary", "multi", "regression"])
@pytest.mark.parametrize("model", ["hist_gradient_boosting", "random_forest"])
def test_every_leaf_is_held(model: str, target: Any) -> None:
    """A model with any one leaf off by 1e-6 is refused."""
    examples = mixed_examples(target, missing=False)
    quick = {"max_iter": 2} if model == "hist_gradient_boosting" else {"n_estimators": 2}
    fitted = fit_recipe(recipe(model, **quick), examples)
    weights = tree_node(onnx.load_from_string(fitted.onnx))["leaf_weights"].t

    def off(leaf: int) -> Fitted:
        def change(values: np.ndarray) -> np.ndarray:
            values[leaf] += 1e-6
            return values

        return changed_tensor(fitted, "leaf_weights", change)

    leaves = range(0, len(numpy_helper.to_array(weights)), 3)

    assert [] == [leaf for leaf in leaves if not is_refused(off(leaf), examples)]


def chain(*splits: tuple[int, float]) -> Tree:
    """Return a tree that goes right at each split, and ends left otherwise."""
    n = len(splits)
    none = [0] * (n + 1)
    return Tree(
        left=np.array([n + 1 + i for i in range(n)] + none, dtype=np.int64),
        right=np.array([i + 1 for i in range(n)] + none, dtype=np.int64),
        feature=np.array([feature for feature, _ in splits] + none, dtype=np.int64),
        threshold=np.array([threshold for _, threshold in splits] + [0.0] * (n + 1)),
        missing_left=np.zeros(2 * n + 1, dtype=np.bool_),
        is_leaf=np.array([False] * n + [True] * (n + 1)),
        value=np.zeros(2 * n + 1),
        members={},
    )


def test_rows_are_led_down_by_the_least_change() -> None:
    """Behind two splits a row passes the first by its next double, and tries the second's sides."""
    columns = [Column(4, "double"), Column(7, "double")]

    rows, changed = node_rows([chain((0, 1.0), (1, 5.0))], columns, np.array([[0.0, 0.0]]))

    behind = rows[(changed == 7) & (rows[:, 0] > 1.0)]
    above = np.nextafter(1.0, 2.0)
    assert {above} == set(behind[:, 0])
    assert {0.0, 5.0, np.nextafter(5.0, 0.0), np.nextafter(5.0, 6.0)} >= set(behind[:, 1])
    assert {5.0, np.nextafter(5.0, 6.0)} <= set(behind[:, 1])


def test_float32_sides_are_float32_values() -> None:
    """Where trees round, rows stand at the float32 values on both sides and half way between."""
    rows, _ = node_rows([chain((0, 0.1))], [Column(0, "float32")], np.array([[0.0]]))

    lower, upper = 0.09999999403953552, 0.10000000149011612
    assert {lower, 0.1, (lower + upper) / 2, upper} <= set(rows[:, 0])


def test_a_split_that_only_missing_values_pass_is_not_faked() -> None:
    """Where missing is forbidden nothing is led behind a split that every number goes left at."""

    def positions() -> Iterator[int]:
        for missing in (False, True):
            columns = [Column(0, "double", missing=missing), Column(1, "double")]
            tree = chain((0, np.inf), (1, 5.0))
            rows, changed = node_rows([tree], columns, np.array([[0.0, 0.0]]))
            yield int(np.count_nonzero(np.isnan(rows[changed == 1, 0])))

    assert [0, 5] == list(positions())
