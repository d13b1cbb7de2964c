"""A scikit-learn estimator of the user's own, named by import path."""

import importlib
from typing import Any

import numpy as np
from onnx import TensorProto, compose, load_from_string
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.ensemble._forest import ForestClassifier, ForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from modelwarrant.bundle import OUTPUT
from modelwarrant.errors import MissingExtraError, TrainingError
from modelwarrant.training.boosting import fit_boosting
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import LARGEST_FLOAT32, Fitted, Floats
from modelwarrant.training.forest import fit_forest
from modelwarrant.training.graph import IR_VERSION, Graph
from modelwarrant.training.preparation import prepare

__all__ = ["estimator", "fit_own"]

_BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_TREES = (ForestClassifier, ForestRegressor, DecisionTreeClassifier, DecisionTreeRegressor)
_OPSETS = {"": 18, "ai.onnx.ml": 3}
"""What skl2onnx 1.20 writes."""
_CONVERSION_ERRORS = (
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What skl2onnx's converters raise where they do not know a variant of an estimator."""


def estimator(path: str, task: str, seed: int) -> Any:
    """Return what ``package.module:Name`` makes, seeded wherever it can be.

    The name is a class or function that needs no arguments; a Pipeline's steps are seeded too.

    Raises:
        TrainingError: it cannot be imported, is no scikit-learn estimator, or of the other task.
    """
    module, _, name = path.partition(":")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise TrainingError(f"recipe {path!r}: cannot be imported: {error}") from error
    try:
        made = kind()
    except TypeError as error:
        raise TrainingError(
            f"recipe {path!r}: cannot be made without arguments: {error}; name a class or function "
            "of your own that needs none"
        ) from error
    if not isinstance(made, BaseEstimator):
        raise TrainingError(f"recipe {path!r}: not a scikit-learn estimator")
    fits = is_classifier(made) if task == "classification" else is_regressor(made)
    if not fits:
        raise TrainingError(f"recipe {path!r}: not for {task}")
    seeds = [
        name
        for name in made.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    return made.set_params(**dict.fromkeys(seeds, seed))


def fit_own(model: Any, examples: Examples) -> Fitted:
    """Fit, and write with our own writers where the estimator is made of trees, else convert.

    Raises:
        MissingExtraError: skl2onnx is needed and not installed.
        TrainingError: it gives no probabilities, or skl2onnx does not know it.
    """
    is_class = examples.schema.task == "classification"
    if is_class and not hasattr(model, "predict_proba"):
        raise TrainingError(
            f"recipe {type(model).__name__}: gives no probabilities (predict_proba) with these "
            "parameters"
        )
    if isinstance(model, _BOOSTED):
        return fit_boosting(model, examples)
    if isinstance(model, _TREES):
        return fit_forest(model, examples)
    preparation = prepare(examples, one_hot=True, scale=True)
    matrix = preparation.matrix(examples.rows)
    model.fit(matrix, examples.targets)
    n_classes = len(examples.schema.classes or ())
    present = model.classes_.tolist() if is_class else []

    def answer(rows: Floats) -> Floats:
        if not is_class:
            return np.asarray(model.predict(preparation.matrix(rows))).reshape(-1, 1)
        answers = np.zeros((len(rows), n_classes))
        answers[:, present] = model.predict_proba(preparation.matrix(rows))
        return answers

    graph = Graph(len(examples.schema.features))
    rounded = graph.add("Cast", preparation.add_to(graph), to=TensorProto.FLOAT)
    scores = _converted(model, graph, rounded, n_columns=matrix.shape[1], is_class=is_class)
    if is_class:
        scores = graph.spread(scores, present, n_classes)
    onnx = graph.model(scores, n_scores=n_classes if is_class else 1, opsets=_OPSETS)
    return Fitted(answer, onnx, "float32", None, LARGEST_FLOAT32)


def _converted(model: Any, graph: Graph, rows: str, *, n_columns: int, is_class: bool) -> str:
    """Add skl2onnx's nodes to the graph; return the scores, double."""
    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
        from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
    except ImportError as error:
        raise MissingExtraError(
            "an estimator of your own needs skl2onnx: pip install 'modelwarrant[convert]'"
        ) from error
    options = {id(model): {"zipmap": False}} if is_class else None
    try:
        converted = convert_sklearn(
            model,
            initial_types=[("matrix", FloatTensorType([None, n_columns]))],
            options=options,
            target_opset=_OPSETS,
        )
    except (*_CONVERSION_ERRORS, MissingShapeCalculator, MissingConverter) as error:
        first = str(error).strip().partition("\n")[0]
        raise TrainingError(
            f"recipe {type(model).__name__}: skl2onnx cannot convert it: {first}"
        ) from error
    converted.ir_version = IR_VERSION
    prefixed = compose.add_prefix(load_from_string(converted.SerializeToString()), "own_")
    foreign = {node.domain for node in prefixed.graph.node} - {"ai.onnx", *_OPSETS}
    if foreign:
        raise TrainingError(
            f"recipe {type(model).__name__}: skl2onnx writes it with operators of "
            f"{', '.join(sorted(foreign))}, which not every server has"
        )
    graph.nodes.append(_identity(rows, "own_matrix"))
    graph.nodes.extend(prefixed.graph.node)
    graph.initializers.extend(prefixed.graph.initializer)
    output = prefixed.graph.output[-1].name
    if output == OUTPUT:
        raise TrainingError(f"recipe {type(model).__name__}: its output is named {OUTPUT!r}")
    scores = graph.add("Cast", output, to=TensorProto.DOUBLE)
    return scores if is_class else graph.add("Reshape", scores, graph.constant([-1, 1], np.int64))


def _identity(source: str, target: str) -> Any:
    from onnx import helper

    return helper.make_node("Identity", [source], [target])
