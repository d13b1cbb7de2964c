"""Losses and metrics agree with scikit-learn, and bad answers are refused by name."""

import numpy as np
import pytest
from sklearn import metrics

from modelwarrant.errors import DataError, ProjectError, TargetError
from modelwarrant.evaluation.losses import (
    DECISION_METRICS,
    Truth,
    aligned,
    loss_bound,
    require_decision_metric,
    row_losses,
    scores,
    truth_of,
)
from modelwarrant.windows import Predictions

RNG = np.random.default_rng(5)
NONE = np.zeros(0)


def _truth(n, classes):
    return Truth("classification", RNG.integers(0, classes, n), NONE, tuple("abcd"[:classes]))


def _probabilities(n, classes):
    return RNG.dirichlet(np.ones(classes), n)


@pytest.mark.parametrize("classes", [2, 4])
def test_classification_losses_agree_with_scikit_learn(classes):
    """Mean losses are scikit-learn's metrics, for two classes and for more."""
    truth, answers = _truth(400, classes), _probabilities(400, classes)
    labels = list(range(classes))
    found = {
        name: row_losses(answers, truth, metric=name).mean()
        for name in DECISION_METRICS["classification"]
    }

    assert (
        pytest.approx(metrics.log_loss(truth.codes, answers, labels=labels), abs=1e-12)
        == (found["log_loss"])
    )
    expected = metrics.brier_score_loss(
        truth.codes, answers[:, 1] if classes == 2 else answers, labels=labels
    )
    assert pytest.approx(expected, abs=1e-12) == found["brier"]
    assert (
        pytest.approx(1 - metrics.accuracy_score(truth.codes, answers.argmax(axis=1)))
        == (found["error_rate"])
    )


@pytest.mark.parametrize("classes", [2, 4])
def test_roc_auc_agrees_with_scikit_learn(classes):
    """Ties included; more than two classes as the mean of one against the rest."""
    truth, answers = _truth(300, classes), _probabilities(300, classes).round(1)
    answers[:, 0] = 1 - answers[:, 1:].sum(axis=1)
    expected = np.mean(
        [metrics.roc_auc_score(truth.codes == k, answers[:, k]) for k in range(classes)]
    )
    if classes == 2:
        expected = metrics.roc_auc_score(truth.codes, answers[:, 1])

    assert pytest.approx(expected, abs=1e-12) == scores(answers, truth)["roc_auc"]


def test_regression_metrics_agree_with_scikit_learn():
    """Squared and absolute error, RMSE, MAE and R2."""
    values = RNG.standard_normal(200)
    answers = values + RNG.standard_normal(200)
    found = scores(answers, Truth("regression", np.zeros(0, int), values))

    assert pytest.approx(metrics.mean_squared_error(values, answers)) == found["squared_error"]
    assert pytest.approx(metrics.root_mean_squared_error(values, answers)) == found["rmse"]
    assert pytest.approx(metrics.mean_absolute_error(values, answers)) == found["mae"]
    assert pytest.approx(metrics.r2_score(values, answers)) == found["r2"]


def test_a_probability_of_zero_costs_as_much_as_in_scikit_learn():
    """36.04 nats instead of infinity."""
    truth = Truth("classification", np.array([0, 1]), NONE, ("a", "b"))
    answers = np.array([[0.0, 1.0], [0.0, 1.0]])

    assert [36.04365338911715, 0.0] == row_losses(answers, truth, metric="log_loss").tolist()


def test_metrics_that_are_undefined_are_none():
    """One class has no ROC curve, a constant target explains no variance."""
    one_class = Truth("classification", np.zeros(3, int), NONE, ("a", "b"))
    constant = Truth("regression", np.zeros(0, int), np.ones(3))

    assert scores(_probabilities(3, 2), one_class)["roc_auc"] is None
    assert scores(np.array([1.0, 2.0, 3.0]), constant)["r2"] is None


def test_the_bound_is_the_larger_of_both_models_tails():
    """An overconfident candidate is not cut down to the champion's tail."""
    calm, wild = np.full(1000, 0.7), np.concatenate([np.full(900, 0.1), np.full(100, 5.0)])

    assert 5.0 == loss_bound([calm, wild], metric="log_loss", n_classes=2)
    assert 5.0 == loss_bound([wild, calm], metric="log_loss", n_classes=2)


def test_the_bound_of_log_loss_is_at_least_that_of_a_uniform_guess():
    """A nearly perfect model does not make all errors look alike."""
    assert np.log(3) == loss_bound([np.zeros(10)], metric="log_loss", n_classes=3)


@pytest.mark.parametrize(
    ("metric", "task", "said"),
    [
        ("roc_auc", "classification", "not a mean of losses a row; use one of log_loss, brier"),
        ("rmse", "regression", "not a mean of losses a row; use one of squared_error, abs"),
        ("f1", "classification", "'f1' is no decision metric for classification"),
        ("log_loss", "regression", "'log_loss' is no decision metric for regression"),
    ],
)
def test_a_metric_that_cannot_decide_is_refused_with_those_that_can(metric, task, said):
    """The error lists what is allowed."""
    with pytest.raises(ProjectError, match=said):
        require_decision_metric(metric, task=task)


def test_a_label_that_nobody_declared_is_refused(world):
    """A new class in the final split is named."""
    made = world(50)

    with pytest.raises(TargetError, match="'yes', which is not one of"):
        window = made.final.window
        schema = window.schema.model_copy(update={"classes": ("no", "maybe"), "positive": None})
        truth_of(type(window)(schema, window.table))


@pytest.mark.parametrize(
    ("values", "classes", "said"),
    [
        (np.full((3, 2), 0.5), ("a", "b"), "have 3 rows and the final split has 4"),
        (np.full((4, 3), 0.5), ("a", "b"), r"have shape \(4, 3\) for 2 classes"),
        (np.full((4, 2), 0.5), ("a", "z"), "know the class 'z'"),
        (np.full((4, 2), 0.4), ("a", "b"), "row 0 adds to 0.8"),
        (
            np.array([[0.5, 0.5]] * 3 + [[np.nan, 1]]),
            ("a", "b"),
            "not finite or beyond 1e\\+150, first in row 3",
        ),
        (np.array([[0.5, 0.5]] * 3 + [[-1, 2]]), ("a", "b"), "no probabilities: row 3"),
    ],
)
def test_answers_that_do_not_fit_the_rows_are_refused(values, classes, said):
    """Model, window and row stand in the error."""
    truth = Truth("classification", np.zeros(4, int), NONE, ("a", "b"))
    predictions = Predictions("classification", values, classes)

    with pytest.raises(DataError, match=f"the candidate's predictions on the current.*{said}"):
        aligned(predictions, truth, model="candidate", window="current")


def test_answers_for_another_task_are_refused():
    """A regression model cannot be judged by classes."""
    truth = Truth("classification", np.zeros(4, int), NONE, ("a", "b"))

    with pytest.raises(DataError, match="are for regression"):
        aligned(Predictions("regression", np.zeros(4)), truth, model="m", window="current")


def test_classes_in_another_order_are_put_in_order():
    """Columns follow their names, and a class the model does not know has probability 0."""
    truth = Truth("classification", np.array([0, 1, 2]), NONE, ("a", "b", "c"))
    predictions = Predictions("classification", np.array([[0.9, 0.1]] * 3), ("b", "a"))
    found = aligned(predictions, truth, model="m", window="current")

    assert [0.1, 0.9, 0.0] == found[0].tolist()


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e200])
def test_a_number_whose_square_overflows_is_refused(value):
    """No target is that large, but a fault may be."""
    truth = Truth("regression", np.zeros(0, int), np.zeros(3))

    with pytest.raises(DataError, match="not finite or beyond 1e\\+150, first in row 1"):
        aligned(
            Predictions("regression", np.array([0.0, value, 0.0])), truth, model="m", window="w"
        )
