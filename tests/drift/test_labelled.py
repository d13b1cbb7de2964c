"""What labels show since production's reference: its loss, P3, P4 and its loss by slice."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.drift.labelled import Labelled, labelled_drift
from modelwarrant.errors import DataError
from modelwarrant.records import LabelledDrift
from modelwarrant.windows import Feature, FeatureSchema, Predictions, Window, typed_window

FEATURES = (Feature(name="x", kind="number"), Feature(name="town", kind="category"))
REGRESSION = FeatureSchema(features=FEATURES, task="regression", target="y")
BINARY = FeatureSchema(
    features=FEATURES, task="classification", target="y", classes=("no", "yes"), positive="yes"
)


def regression(
    seed: int,
    *,
    rows: int = 2000,
    bias: float = 0.0,
    spread: float = 1.0,
    town: str | None = None,
    high: float = 0.0,
) -> Labelled:
    """Return rows whose truth is x, and a model that answers x.

    ``bias`` moves the target everywhere, or in one town only; ``high`` where x is above 1.
    """
    random = np.random.default_rng(seed)
    x, towns = random.normal(size=rows), random.choice(["ash", "oak", "elm", "fir"], rows)
    where = np.ones(rows, dtype=bool) if town is None else towns == town
    y = x + spread * random.normal(size=rows) + bias * where + high * (x > 1)
    window = typed_window(pa.table({"x": x, "town": towns, "y": y}), REGRESSION)
    return Labelled(window, Predictions("regression", x))


def classification(
    seed: int, *, rows: int = 2000, said: float = 1.0, shift: float = 0.0
) -> Labelled:
    """Return rows with log odds x (moved by ``shift``); the model says ``said`` times x."""
    random = np.random.default_rng(seed)
    x = 1.5 * random.normal(size=rows)
    y = np.where(random.random(rows) < 1 / (1 + np.exp(-(x + shift))), "yes", "no")
    towns = random.choice(["ash", "oak"], rows)
    p = 1 / (1 + np.exp(-said * x))
    window = typed_window(pa.table({"x": x, "town": towns, "y": y}), BINARY)
    answers = Predictions("classification", np.column_stack([1 - p, p]), ("no", "yes"))
    return Labelled(window, answers)


def compared(reference: Labelled, current: Labelled) -> LabelledDrift:
    """Compare at the report's alpha."""
    return labelled_drift(reference, current, alpha=0.01)


def kinds(reference: Labelled, current: Labelled) -> dict[str, str]:
    """Return the kinds of shift that a whole report names, with their levels."""
    report = drift.compare(reference.window, current.window, labelled=(reference, current))
    return {shift.kind: shift.level for shift in report.shifts}


def test_residuals_that_stay_are_quiet() -> None:
    """Two windows of one law: nothing is found, and every number is there."""
    found = compared(regression(1), regression(2))

    assert ("none", "none") == (found.level, found.residuals.level)
    assert found.residuals.bias == pytest.approx(0, abs=0.1)
    assert found.residuals.variance_ratio == pytest.approx(1, abs=0.15)
    assert 10 == len(found.residuals.deciles)


def test_a_bias_of_the_residuals_is_drift() -> None:
    """P3: a mean that moved by .3 standard deviations, in the target's unit by Wasserstein too."""
    found = compared(regression(1), regression(2, bias=0.3)).residuals

    assert "drift" == found.level
    assert 0.3 == pytest.approx(found.bias, abs=0.1)
    assert 0.3 == pytest.approx(found.wasserstein, abs=0.1)
    assert found.bias_p_value < 0.01


def test_a_wider_spread_of_the_residuals_is_drift() -> None:
    """P3: a variance 1.69 times as large, without any bias."""
    found = compared(regression(1), regression(2, spread=1.3)).residuals

    assert "drift" == found.level
    assert 1.69 == pytest.approx(found.variance_ratio, abs=0.2)
    assert "variance" in found.reason


def test_a_bias_of_one_region_shows_in_its_decile() -> None:
    """Where production predicts high values, and nowhere else."""
    found = compared(regression(1), regression(2, high=0.6)).residuals
    moved = [decile for decile in found.deciles if decile.p_value_adjusted < 0.01]

    assert {None} == {decile.upper for decile in moved if decile.lower > 1.2}
    assert all(decile.lower > 0.8 for decile in moved)


def test_probabilities_that_stay_are_quiet() -> None:
    """A calibrated model: slope 1, intercept 0, Spiegelhalter's z within two errors."""
    found = compared(classification(1), classification(2)).calibration

    assert "none" == found.level
    assert (1, 0) == (pytest.approx(found.slope, abs=0.15), pytest.approx(found.intercept, abs=0.2))
    assert abs(found.spiegelhalter_z) < 2
    assert found.accuracy_estimated == pytest.approx(found.accuracy_labelled, abs=0.03)


def test_classes_that_come_more_often_are_found_by_calibration() -> None:
    """P4: the same score now means more; estimated and labelled accuracy part."""
    found = compared(classification(1), classification(2, shift=1.2)).calibration

    assert "drift" == found.level
    assert found.ece_growth_lower > 0.02
    assert found.intercept == pytest.approx(1.2, abs=0.3)
    assert found.spiegelhalter_p_value < 1e-6


def test_an_overconfident_model_has_a_slope_below_one() -> None:
    """It says three times the odds, in both windows: no drift, and no calibration either."""
    found = compared(classification(1, said=3.0), classification(2, said=3.0)).calibration

    assert 1 / 3 == pytest.approx(found.slope, abs=0.05)
    assert "none" == found.level


def test_a_concept_shift_is_named_with_no_covariate_cause() -> None:
    """The features stay, the level of the report too, and labels say what happened."""
    reference, current = regression(1), regression(2, bias=0.8)
    report = drift.compare(reference.window, current.window, labelled=(reference, current))
    (shift,) = report.shifts

    assert ("none", "concept", "drift") == (report.level, shift.kind, shift.level)
    assert "no covariate cause" in shift.support


def test_a_subgroup_that_got_worse_is_named() -> None:
    """One town of four, whose loss alone grew."""
    reference, current = regression(1), regression(2, bias=1.5, town="oak")
    report = drift.compare(
        reference.window, current.window, labelled=(reference, current), slices=["town"]
    )
    shift = next(shift for shift in report.shifts if shift.kind == "subpopulation")

    assert ("town",) == shift.columns
    assert "town oak" in shift.support
    assert {"oak"} == {part.value for part in report.labelled.slices if part.level == "notice"}


def test_moved_classes_are_a_prior_shift() -> None:
    """The positives of the current window are drawn twice as often, whatever their features."""
    reference, current = classification(1, rows=4000), classification(2, rows=6000)
    random = np.random.default_rng(3)
    positive = current.window.codes("y", ("no", "yes")) == 1
    kept = np.flatnonzero(positive | (random.random(len(positive)) < 0.5))
    thinned = Labelled(current.window.take(kept), current.predictions.take(kept))

    assert "notice" == kinds(reference, thinned)["prior"]


def test_labels_in_another_row_order_change_no_byte() -> None:
    """Sums are added in one order, and the bootstrap draws groups of rows, not places."""
    reference, current = classification(1), classification(2, shift=0.3)
    order = np.random.default_rng(5).permutation(2000)
    shuffled = Labelled(current.window.take(order), current.predictions.take(order))

    assert compared(reference, current) == compared(reference, shuffled)


def test_missing_and_unknown_labels_are_left_out() -> None:
    """They are counted neither here nor there."""
    current = regression(2)
    holed = current.window.table.column("y").to_pylist()
    holed[:700] = [None] * 700
    place = current.window.table.column_names.index("y")
    table = current.window.table.set_column(place, "y", [holed])
    found = compared(regression(1), Labelled(Window(REGRESSION, table), current.predictions))

    assert (2000, 1300) == (found.n_reference, found.n_current)


@pytest.mark.parametrize("rows", [0, 3, 499])
def test_few_labels_are_unknown_with_a_reason(rows: int) -> None:
    """Below 500 nothing is said, and that is said."""
    found = compared(regression(1), regression(2, rows=rows))

    assert ("unknown", f"{rows} labelled rows in the smaller window, 500 are needed") == (
        found.level,
        found.reason,
    )


def test_a_model_without_errors_has_no_unit() -> None:
    """Its reference loss is 0: a growth has no unit, and the level is not 'none'."""
    perfect = regression(1, spread=0.0)

    assert ("unknown", True) == (
        compared(perfect, regression(2)).level,
        "has no unit" in compared(perfect, regression(2)).reason,
    )


def test_predictions_of_other_rows_are_refused() -> None:
    """They would be joined to the wrong labels."""
    one = regression(1)

    with pytest.raises(DataError, match="5 predictions for 2000 labelled current rows"):
        compared(one, Labelled(one.window, Predictions("regression", np.zeros(5))))


def test_a_window_without_a_target_is_refused() -> None:
    """Nothing can be said of labels that are not there."""
    bare = typed_window(pa.table({"x": [1.0], "town": ["ash"]}), FeatureSchema(features=FEATURES))

    with pytest.raises(DataError, match="no target"):
        compared(Labelled(bare, Predictions("regression", np.zeros(1))), regression(2))
