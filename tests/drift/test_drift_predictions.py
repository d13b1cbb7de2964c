"""P1 and P2: answers that changed, and label shifts that explain them."""

import numpy as np
import pytest

from modelwarrant.drift.predictions import label_shift, prediction_drift
from modelwarrant.errors import DataError
from modelwarrant.records import PredictionDrift
from modelwarrant.windows import Predictions


def binary(rows: int, *, seed: int, share: float = 0.5) -> tuple[Predictions, np.ndarray]:
    """Return a model's scores on rows of two classes, and the true classes."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < share).astype(np.int64)
    score = 1 / (1 + np.exp(-random.normal(2.5 * labels - 1.25, 1.0)))
    return Predictions("classification", np.column_stack([1 - score, score]), ("no", "yes")), labels


def values(numbers: np.ndarray) -> Predictions:
    """Return a regression's predictions."""
    return Predictions("regression", numbers)


def drift(reference: Predictions, current: Predictions) -> PredictionDrift:
    """Compare without labels."""
    return prediction_drift(reference, current, alpha=0.01, is_joint_quiet=True)


@pytest.mark.parametrize(
    ("share", "level"), [(0.5, "none"), (0.57, "notice"), (0.6, "notice"), (0.75, "drift")]
)
def test_the_level_follows_the_shift_of_the_scores(share: float, level: str) -> None:
    """A share of predicted classes that moved by 5 points is noticed; PSI above .10 is drift."""
    found = drift(binary(4000, seed=1)[0], binary(4000, seed=2, share=share)[0])

    assert level == found.level
    assert found.distribution is not None


def test_class_shares_are_noticed_where_scores_hardly_move() -> None:
    """Half the rows cross the threshold by a hair: P2's case."""
    score = np.full(2000, 0.501)
    moved = np.where(np.arange(2000) < 200, 0.499, 0.501)
    before, after = (
        Predictions("classification", np.column_stack([1 - s, s]), ("no", "yes"))
        for s in (score, moved)
    )
    found = drift(before, after)

    assert pytest.approx(0.1) == found.total_variation
    assert found.level in ("notice", "drift")


def weather(seed: int, *, days: int = 360, shift: float = 0.0, known: bool = True) -> Predictions:
    """Return hourly predictions that resemble each other for a week, as those from weather do."""
    random = np.random.default_rng(seed)
    slow = np.repeat(random.normal(size=-(-days // 7)), 7 * 24)[: days * 24]
    numbers = slow + 0.5 * random.normal(size=days * 24) + shift
    order = np.arange(days * 24, dtype=np.int64) if known else None
    return Predictions("regression", numbers, (), order)


def test_neighbours_in_time_count_as_dependent() -> None:
    """A year of weeks is no 8,640 rows: what is drift of rows is none of weeks."""
    pairs = [(2 * seed, 2 * seed + 1) for seed in range(40)]
    found = {
        known: [drift(weather(a, known=known), weather(b, known=known)).level for a, b in pairs]
        for known in (True, False)
    }

    assert 0 == found[True].count("drift")
    assert found[False].count("drift") >= 4


def test_a_shift_is_found_in_dependent_answers() -> None:
    """By five deviations of a week's mean."""
    found = drift(weather(1), weather(2, shift=5.0))

    assert "drift" == found.level
    assert found.n_effective < 500


def test_answers_of_one_day_are_independent() -> None:
    """A day's log whose rows know their day alone, against the day before."""
    before, after = (
        Predictions("regression", w.values, (), np.full(len(w), day))
        for day, w in enumerate((weather(1), weather(2, shift=1.0)))
    )
    found = drift(before, after)

    assert "drift" == found.level
    assert pytest.approx(len(before) / 2) == found.n_effective


def test_the_order_of_rows_changes_nothing() -> None:
    """Rows of one instant hold many answers."""
    before, after = (
        Predictions("regression", w.values, (), np.asarray(w.order) // 24)
        for w in (weather(1), weather(2))
    )
    rows = np.random.default_rng(3).permutation(len(after))

    assert drift(before, after) == drift(before, after.take(rows))


def test_regression_compares_predicted_values() -> None:
    """There are no classes, so no variation between them."""
    random = np.random.default_rng(1)
    before, after = random.normal(size=2000), random.normal(1.0, 1.0, 2000)
    found = drift(values(before), values(after))

    assert ("drift", None, None) == (
        found.level,
        found.total_variation,
        found.label_shift_weights,
    )


def test_many_classes_are_tested_together() -> None:
    """The class whose score moved most is reported, with Holm over the classes."""
    random = np.random.default_rng(1)
    before, after = random.dirichlet([2, 2, 2], 2000), random.dirichlet([2, 2, 6], 2000)
    classes = ("a", "b", "c")
    found = drift(*(Predictions("classification", v, classes) for v in (before, after)))

    assert "drift" == found.level
    assert found.psi is not None
    assert found.psi > 0.5


@pytest.mark.parametrize("rows", [0, 1, 499])
def test_below_the_floor_the_level_is_unknown(rows: int) -> None:
    """The numbers stand where there are any."""
    found = drift(binary(1000, seed=1)[0], binary(rows, seed=2, share=0.9)[0])

    assert "unknown" == found.level
    assert (found.psi is None) == (rows == 0)


def test_the_named_positive_class_is_compared() -> None:
    """Its score is the other's mirror image, so the index is the same."""
    before, after = binary(1000, seed=1)[0], binary(1000, seed=2, share=0.7)[0]
    yes, no = (
        prediction_drift(before, after, alpha=0.01, positive=name, is_joint_quiet=True)
        for name in ("yes", "no")
    )

    assert pytest.approx(yes.psi, rel=0.1) == no.psi


def test_answers_of_different_models_are_refused() -> None:
    """Their classes differ."""
    with pytest.raises(DataError, match="different classes"):
        drift(binary(10, seed=1)[0], values(np.zeros(10)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_not_finite_is_refused(bad: float) -> None:
    """The error names window and row."""
    with pytest.raises(DataError, match="current row 2 is not finite"):
        drift(values(np.zeros(3)), values(np.array([0.0, 1.0, bad])))


class TestLabelShift:
    """BBSE."""

    def test_weights_recover_the_shares_of_classes(self) -> None:
        """From 50 % to 75 % positives: weights .5 and 1.5, from predictions alone."""
        reference, labels = binary(20_000, seed=1)
        current, _ = binary(20_000, seed=2, share=0.75)
        found = label_shift(reference, current, labels, is_joint_quiet=True)

        assert found.weights is not None
        assert pytest.approx([0.5, 1.5], abs=0.05) == found.weights

    def test_weights_need_a_quiet_joint_detector(self) -> None:
        """Another shift may explain the predictions as well."""
        reference, labels = binary(1000, seed=1)
        found = label_shift(reference, reference, labels, is_joint_quiet=False)

        assert None is found.weights
        assert "joint detector is not quiet" in str(found.reason)
        assert found.condition_number is not None

    def test_a_model_that_confuses_classes_has_no_weights(self) -> None:
        """The condition number is 100 or more."""
        random = np.random.default_rng(1)
        score = random.random(5000)
        guess = Predictions("classification", np.column_stack([1 - score, score]), ("no", "yes"))
        found = label_shift(guess, guess, random.integers(0, 2, 5000), is_joint_quiet=True)

        assert None is found.weights
        assert "confuses classes" in str(found.reason)

    def test_a_model_that_predicts_one_class_has_no_weights(self) -> None:
        """The matrix cannot be solved, and its condition number is undefined."""
        constant = Predictions("classification", np.tile([0.9, 0.1], (100, 1)), ("no", "yes"))
        found = label_shift(constant, constant, np.arange(100) % 2, is_joint_quiet=True)

        assert (None, None) == (found.weights, found.condition_number)

    def test_a_class_without_labels_has_no_weights(self) -> None:
        """Its column of the matrix is unknown."""
        reference, _ = binary(100, seed=1)
        found = label_shift(reference, reference, np.zeros(100, np.int64), is_joint_quiet=True)

        assert "no reference label" in str(found.reason)

    @pytest.mark.parametrize(
        "labels", [np.zeros(3, np.int64), np.full(100, 2)], ids=["rows", "codes"]
    )
    def test_labels_that_do_not_fit_are_refused(self, labels: np.ndarray) -> None:
        """The error says how many of what."""
        reference, _ = binary(100, seed=1)
        with pytest.raises(DataError, match="do not fit 100 predictions of 2 classes"):
            label_shift(reference, reference, labels, is_joint_quiet=True)

    def test_they_stand_in_the_report(self) -> None:
        """With labels of the reference rows given; unknown labels are left out."""
        reference, labels = binary(5000, seed=1)
        labels[::7] = -1
        found = prediction_drift(
            reference,
            binary(5000, seed=2)[0],
            alpha=0.01,
            reference_labels=labels,
            is_joint_quiet=True,
        )

        assert found.label_shift_weights is not None
        assert pytest.approx([1.0, 1.0], abs=0.1) == found.label_shift_weights
