"""Regularised linear models: logistic regression and ridge regression."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import LARGEST_FLOAT32, Fitted, Floats
from modelwarrant.training.graph import Graph
from modelwarrant.training.preparation import prepare

__all__ = ["estimator", "fit_linear"]

_MOST_STEPS = 2000
"""Of the solver; with scaled columns it stops at a tenth of that."""


def estimator(task: str, seed: int) -> Any:
    """Return the estimator with our defaults."""
    if task == "classification":
        return LogisticRegression(max_iter=_MOST_STEPS, random_state=seed)
    return Ridge(alpha=1.0, random_state=seed)


def fit_linear(model: Any, examples: Examples) -> Fitted:
    """Fit on scaled columns, and write the coefficients as one matrix product."""
    preparation = prepare(examples, one_hot=True, scale=True)
    model.fit(preparation.matrix(examples.rows), examples.targets)
    graph = Graph(len(examples.schema.features))
    weights = np.atleast_2d(model.coef_).T
    offsets = np.atleast_1d(model.intercept_)
    product = graph.add("MatMul", preparation.add_to(graph), graph.constant(weights))
    raw = graph.add("Add", product, graph.constant(offsets))
    if examples.schema.task == "regression":

        def predict(rows: Floats) -> Floats:
            return np.asarray(model.predict(preparation.matrix(rows))).reshape(-1, 1)

        return Fitted(predict, graph.model(raw, n_scores=1), "double", None, LARGEST_FLOAT32)
    n_classes = len(examples.schema.classes or ())
    present = model.classes_.tolist()

    def probabilities(rows: Floats) -> Floats:
        answers = np.zeros((len(rows), n_classes))
        answers[:, present] = model.predict_proba(preparation.matrix(rows))
        return answers

    scores = graph.probabilities(raw, n_scores=weights.shape[1])
    scores = graph.spread(scores, present, n_classes)
    return Fitted(
        probabilities, graph.model(scores, n_scores=n_classes), "double", None, LARGEST_FLOAT32
    )
