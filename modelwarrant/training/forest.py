"""Random forests, and every other estimator that averages scikit-learn's plain trees."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import TensorProto
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import LARGEST_FLOAT32, Fitted, Floats, Ints
from modelwarrant.training.graph import Graph
from modelwarrant.training.preparation import Preparation, prepare
from modelwarrant.training.probes import STARTS, Column, node_rows
from modelwarrant.training.trees import Tree, add_trees

__all__ = ["estimator", "fit_forest"]

_TREES, _LEAF_ROWS = 200, 5
"""Leaves of one row make a model ten times as large, and no better on noisy tables."""


def estimator(task: str, seed: int) -> Any:
    """Return the estimator with our defaults."""
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return kind(n_estimators=_TREES, min_samples_leaf=_LEAF_ROWS, random_state=seed, n_jobs=1)


def fit_forest(model: Any, examples: Examples) -> Fitted:
    """Fit on filled columns and category codes, and write each tree's arrays."""
    preparation = prepare(examples, one_hot=False, scale=False)
    # Each tree has a seed of its own, so threads change nothing; answers are added up in one.
    model.set_params(**_threads(model, -1)).fit(preparation.matrix(examples.rows), examples.targets)
    model.set_params(**_threads(model, 1))
    trees = [each.tree_ for each in getattr(model, "estimators_", [model])]
    probes = _probes(trees, preparation, examples)
    is_class = examples.schema.task == "classification"
    graph = Graph(len(examples.schema.features))
    # scikit-learn's trees compare float32 values with double thresholds.
    rounded = graph.add("Cast", preparation.add_to(graph), to=TensorProto.FLOAT)
    rows = graph.add("Cast", rounded, to=TensorProto.DOUBLE)
    if not is_class:
        scores = add_trees(graph, _trees(trees, [None]), n_targets=1, rows=rows)

        def predict(rows: Floats) -> Floats:
            return np.asarray(model.predict(preparation.matrix(rows))).reshape(-1, 1)

        onnx = graph.model(scores, n_scores=1)
        return Fitted(predict, onnx, "double", probes, LARGEST_FLOAT32)
    n_classes, present = len(examples.schema.classes or ()), model.classes_.tolist()
    outputs: list[int | None] = [1] if len(present) == 2 else list(range(len(present)))
    scores = add_trees(graph, _trees(trees, outputs), n_targets=len(outputs), rows=rows)
    if len(present) == 2:
        scores = graph.complement(scores)
    scores = graph.spread(scores, present, n_classes)

    def probabilities(rows: Floats) -> Floats:
        answers = np.zeros((len(rows), n_classes))
        answers[:, present] = model.predict_proba(preparation.matrix(rows))
        return answers

    onnx = graph.model(scores, n_scores=n_classes)
    return Fitted(probabilities, onnx, "double", probes, LARGEST_FLOAT32)


def _trees(trees: list[Any], outputs: list[int | None]) -> Iterator[Tree]:
    """Yield each tree once an output, its leaves divided by the number of trees."""
    for target, output in enumerate(outputs):
        for tree in trees:
            values = tree.value[:, 0, 0 if output is None else output]
            yield Tree(
                left=tree.children_left,
                right=tree.children_right,
                feature=tree.feature,
                threshold=tree.threshold,
                missing_left=tree.missing_go_to_left.astype(np.bool_),
                is_leaf=tree.children_left < 0,
                value=values / len(trees),
                members={},
                target=target,
            )


def _threads(model: Any, n_jobs: int) -> dict[str, int]:
    return {"n_jobs": n_jobs} if "n_jobs" in model.get_params(deep=False) else {}


def _probes(trees: list[Any], preparation: Preparation, examples: Examples) -> tuple[Floats, Ints]:
    features = examples.schema.features
    columns = [
        Column(position, "whole" if features[position].kind == "boolean" else "float32")
        for position in preparation.numbers
    ]
    columns += [Column(position, "whole") for position in preparation.indicators]
    columns += [Column(position, "whole") for position, _ in preparation.categories]
    starts = preparation.matrix(examples.rows[:STARTS]).astype(np.float32).astype(np.float64)
    matrix, changed = node_rows(list(_trees(trees, [None])), columns, starts)
    return preparation.encoded(matrix), changed
