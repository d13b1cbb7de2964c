"""Histogram gradient boosting, with categories and missing values as it learns them itself."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from modelwarrant.errors import TrainingError
from modelwarrant.training.examples import MOST_LEVELS, Examples
from modelwarrant.training.fitted import Fitted, Floats, Ints
from modelwarrant.training.graph import Graph
from modelwarrant.training.probes import STARTS, Column, Compared, node_rows
from modelwarrant.training.trees import Tree, add_trees
from modelwarrant.windows import Kind

__all__ = ["estimator", "fit_boosting"]

_NEVER = -3.0
"""Stands in a set that only missing values belong to: the operator takes no empty set."""

_LINKS = {
    "squared_error": None,
    "absolute_error": None,
    "quantile": None,
    "poisson": "Exp",
    "gamma": "Exp",
}
"""ONNX operator of the inverse link, by loss."""

_COMPARED: Final[Mapping[Kind, Compared]] = {
    "number": "double",
    "time": "double",
    "boolean": "whole",
    "category": "level",
}


def estimator(task: str, seed: int) -> Any:
    """Return the estimator with our defaults; no early stopping, so all rows are learnt from."""
    if task == "classification":
        return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    return HistGradientBoostingRegressor(early_stopping=False, random_state=seed)


def fit_boosting(model: Any, examples: Examples) -> Fitted:
    """Fit on the encoded rows, and write each tree's arrays.

    Raises:
        TrainingError: a category has more levels than the estimator knows, or an unknown loss.
    """
    for position in examples.categories:
        feature = examples.schema.features[position]
        if len(feature.categories or ()) > MOST_LEVELS:
            raise TrainingError(
                f"category {feature.name!r} lists {len(feature.categories or ())} levels; "
                f"histogram gradient boosting takes {MOST_LEVELS}: list the commonest, others "
                "count as unseen, or use another recipe"
            )
    model.set_params(categorical_features=examples.categories or None)
    model.fit(_learnable(examples), examples.targets)
    n_targets = model.n_trees_per_iteration_
    graph = Graph(len(examples.schema.features))
    trees = list(_trees(model, examples))
    raw = add_trees(graph, trees, n_targets=n_targets)
    baseline = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1)
    raw = graph.add("Add", raw, graph.constant(baseline))
    probes = _probes(trees, examples)
    if examples.schema.task == "regression":
        if model.loss not in _LINKS:
            raise TrainingError(f"recipe: the loss {model.loss!r} cannot be kept; use one of "
                                f"{', '.join(_LINKS)}")  # fmt: skip
        link = _LINKS[model.loss]

        def predict(rows: Floats) -> Floats:
            return np.asarray(model.predict(rows)).reshape(-1, 1)

        scores = raw if link is None else graph.add(link, raw)
        return Fitted(predict, graph.model(scores, n_scores=1), "double", probes)
    n_classes, present = len(examples.schema.classes or ()), model.classes_.tolist()

    def probabilities(rows: Floats) -> Floats:
        answers = np.zeros((len(rows), n_classes))
        answers[:, present] = model.predict_proba(rows)
        return answers

    scores = graph.spread(graph.probabilities(raw, n_scores=n_targets), present, n_classes)
    return Fitted(probabilities, graph.model(scores, n_scores=n_classes), "double", probes)


def _learnable(examples: Examples) -> Floats:
    """Return the rows; a number no row has is constant, as scikit-learn cannot bin no value."""
    rows = examples.rows.copy()
    for position in range(rows.shape[1]):
        if position not in examples.categories and np.isnan(rows[:, position]).all():
            rows[:, position] = 0.0
    return rows


def _trees(model: Any, examples: Examples) -> Iterator[Tree]:
    """Yield each predictor; scikit-learn puts the category columns first before it learns."""
    categories = examples.categories
    order = np.array(
        [*categories, *(i for i in range(examples.rows.shape[1]) if i not in categories)]
    )
    known = _known_codes(model, len(categories))
    for iteration in model._predictors:
        for target, predictor in enumerate(iteration):
            nodes = predictor.nodes
            members = {}
            for node in np.flatnonzero(nodes["is_categorical"] & ~nodes["is_leaf"].astype(bool)):
                column = int(nodes["feature_idx"][node])
                n_levels = len(examples.schema.features[order[column]].categories or ())
                members[int(node)] = _members(
                    predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]],
                    known[column],
                    missing_left=bool(nodes["missing_go_to_left"][node]),
                    n_levels=n_levels,
                )
            yield Tree(
                left=nodes["left"].astype(np.int64),
                right=nodes["right"].astype(np.int64),
                feature=order[nodes["feature_idx"]],
                threshold=nodes["num_threshold"].astype(np.float64),
                missing_left=nodes["missing_go_to_left"].astype(np.bool_),
                is_leaf=nodes["is_leaf"].astype(np.bool_),
                value=nodes["value"].astype(np.float64),
                members=members,
                target=target,
            )


def _known_codes(model: Any, n_categories: int) -> list[Floats]:
    """Return, a category column, the codes it was fitted with, in scikit-learn's own order."""
    if not n_categories:
        return []
    encoder = model._preprocessor.named_transformers_["encoder"]
    return [codes[~np.isnan(codes)] for codes in encoder.categories_]


def _members(bits: Any, known: Floats, *, missing_left: bool, n_levels: int) -> tuple[float, ...]:
    """Return every code that goes left; a code that was never seen goes where missing goes."""
    left = [
        float(code)
        for place, code in enumerate(known.tolist())
        if bits[place // 32] >> np.uint32(place % 32) & 1
    ]
    if missing_left:
        seen = set(known.tolist())
        left += [float(code) for code in range(-1, n_levels) if code not in seen]
    return tuple(sorted(left)) or (_NEVER,)


def _probes(trees: list[Tree], examples: Examples) -> tuple[Floats, Ints]:
    columns = [
        Column(
            position,
            _COMPARED[feature.kind],
            missing=feature.missing,
            n_levels=len(feature.categories or ()),
        )
        for position, feature in enumerate(examples.schema.features)
    ]
    return node_rows(trees, columns, examples.rows[:STARTS])
