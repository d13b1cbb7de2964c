"""An estimate from a reference, a window and a drift report: level, conditions, intervals."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.drift import compare
from modelwarrant.estimation import Answered, Estimated
from modelwarrant.records import PerformanceEstimate
from modelwarrant.windows import Predictions
from tests.estimation.worlds import BINARY, NUMBERS, World, binary, regression, window


def failed(record: PerformanceEstimate) -> list[str]:
    """Return the conditions that do not hold."""
    return [check.name for check in record.checks if not check.holds]


@pytest.mark.parametrize("metric", ["log_loss", "brier", "error_rate"])
def test_an_unshifted_window_is_ok_and_its_loss_known(metric: str) -> None:
    """The realised loss lies within the interval, and every condition holds."""
    world = binary(1)
    record = world.estimate(metric).record
    realised = world.realised(metric, float(record.bound or 0))

    assert ("ok", "PAPE", []) == (record.level, record.method, failed(record))
    assert float(record.lower or 0) < realised < float(record.upper or 0)


@pytest.mark.parametrize("metric", ["squared_error", "absolute_error"])
def test_a_shift_to_louder_noise_is_below(metric: str) -> None:
    """The loss of a regression has grown, and is foretold."""
    world = regression(2, shift=0.4)
    record = world.estimate(metric).record
    realised = world.realised(metric, float(record.bound or 0))

    assert ("below", "DLE", []) == (record.level, record.method, failed(record))
    assert float(record.lower or 0) < realised < float(record.upper or 0)


def test_a_shift_to_hard_rows_is_below() -> None:
    """The same for a classification."""
    assert "below" == binary(3, rows=(4000, 4000), shift=0.5).estimate("error_rate").record.level


def test_a_concept_shift_is_not_seen() -> None:
    """As it must be: the inputs are what they were, and no label was looked at."""
    world = binary(4, concept=1.0)
    record = world.estimate("log_loss").record

    assert "ok" == record.level
    assert world.realised("log_loss", float(record.bound or 0)) > float(record.upper or 0)


def test_windows_that_hardly_overlap_void_the_estimate() -> None:
    """D3 is above .65; the reason says so, and no method claims to be valid."""
    record = binary(5, shift=2.5).estimate("log_loss").record

    assert "void" == record.level
    assert "joint" in failed(record)
    assert "tells the windows apart too well" in record.reason
    assert not any(each.is_valid for each in record.estimates)


def test_an_effective_sample_below_a_tenth_voids_the_estimate() -> None:
    """A twentieth of the reference is like the window, all of the rest unlike it."""
    world = binary(6, rows=(2000, 2000), shift=4.0)

    record = world.estimate("log_loss").record

    assert "effective_sample" in failed(record)
    assert float(record.effective_share or 1) < 0.1


def test_a_gate_that_warns_voids_the_estimate() -> None:
    """Missing values where there were none: the model's confidence means something else."""
    world = binary(7)
    values = np.column_stack([world.current.window.numbers(f"x{place}") for place in range(4)])
    values[:120, 0] = np.nan
    broken = Answered(window(values, BINARY), world.current.predictions)
    drift = compare(world.reference.window, broken.window)

    record = replace(world, current=broken, drift=drift).estimate("log_loss").record

    assert ("void", ["gates"]) == (record.level, failed(record))
    assert "G2 x0" in record.reason


@pytest.mark.parametrize("rows", [(499, 2000), (2000, 499), (2000, 3)])
def test_short_windows_void_the_estimate(rows: tuple[int, int]) -> None:
    """The numbers that are there and that are needed are named; no estimate is stated."""
    record = binary(8, rows=rows).estimate("log_loss").record

    assert ("void", None) == (record.level, record.value)
    assert "500 of each are needed" in record.reason


def test_a_reference_whose_halves_disagree_voids_the_estimate() -> None:
    """The rule changed within the reference: what was learnt from one half fails on the other."""
    calm, turned = binary(9, rows=(1500, 2000)), binary(10, rows=(1500, 1500), concept=3.0)
    joined = pa.concat_tables(
        [
            calm.reference.window.table,
            _labelled(turned).table.cast(calm.reference.window.table.schema),
        ]
    ).combine_chunks()
    order = joined.schema.get_field_index("__order")
    joined = joined.set_column(order, "__order", pa.array(np.arange(3000)))
    reference = Answered(
        replace(calm.reference.window, table=joined),
        Predictions(
            "classification",
            np.concatenate([calm.reference.predictions.values, turned.current.predictions.values]),
            calm.reference.predictions.classes,
        ),
    )

    record = replace(calm, reference=reference).estimate("log_loss").record

    assert "calibration" in failed(record)


def _labelled(world: World) -> object:
    values = np.column_stack([world.current.window.numbers(f"x{place}") for place in range(4)])
    return window(values, BINARY, [world.truth.classes[code] for code in world.truth.codes])


def test_a_reference_that_was_never_missed_voids_the_estimate() -> None:
    """A loss of 0 has no range to compare with."""
    world = regression(11, rows=(800, 800))
    answers = Predictions("regression", world.reference.window.numbers("y"))
    perfect = replace(world, reference=Answered(world.reference.window, answers))

    record = perfect.estimate("squared_error").record

    assert "void" == record.level
    assert "lost nothing" in record.reason


def test_labels_that_are_no_class_void_the_estimate() -> None:
    """A fault of the reference is a reason, and does not end the pass."""
    world = binary(12)
    wrong = Predictions("classification", world.reference.predictions.values * 2, ("no", "yes"))

    record = replace(world, reference=Answered(world.reference.window, wrong)).estimate("brier")

    assert "void" == record.record.level
    assert "no probabilities" in record.record.reason


def test_a_declared_objective_is_compared_with() -> None:
    """Far above the loss all is ok, far below it nothing is; the source is named."""
    world = binary(13, rows=(4000, 4000))
    easy, hard = (world.estimate("error_rate", objective=goal).record for goal in (0.5, 0.05))

    assert ("ok", "below") == (easy.level, hard.level)
    assert {"declared"} == {easy.objective_source, hard.objective_source}


def test_each_row_has_its_share_in_the_order_of_the_window() -> None:
    """The mean over the rows is the estimate, and row by row it follows the model's doubt."""
    world = binary(14)
    found: Estimated = world.estimate("error_rate")
    doubt = 1 - world.current.predictions.values.max(axis=1)

    assert found.record.value == pytest.approx(found.rows.mean())
    assert np.corrcoef(found.rows, doubt)[0, 1] > 0.9


@pytest.mark.parametrize("draw", [binary, regression])
def test_the_order_of_rows_changes_nothing(draw: object) -> None:
    """Rows are put in one order first."""
    world = draw(15, rows=(800, 800))  # type: ignore[operator]
    metric = "log_loss" if draw is binary else "squared_error"
    turn = np.random.default_rng(16).permutation(800)
    reference, current = (
        Answered(side.window.take(turn), side.predictions.take(turn))
        for side in (world.reference, world.current)
    )

    again = replace(world, reference=reference, current=current).estimate(metric)
    first = world.estimate(metric)

    assert first.record == again.record
    assert np.array_equal(first.rows[turn], again.rows)


def test_every_method_states_an_interval_or_a_reason() -> None:
    """Classification has four, regression two."""
    classified = binary(17).estimate("log_loss").record.estimates
    regressed = regression(17, rows=(800, 800)).estimate("squared_error").record.estimates

    assert ["PAPE", "CBPE", "IW", "BBSE"] == [each.method for each in classified]
    assert ["DLE", "IW"] == [each.method for each in regressed]
    for each in (*classified, *regressed):
        assert each.reason is not None or float(each.lower or 0) < float(each.upper or 0)


def test_metrics_are_stated_beside_the_loss() -> None:
    """Accuracy is what the error rate leaves; the AUC lies between guessing and certainty."""
    found = {each.name: each for each in binary(18).estimate("log_loss").record.metrics}

    assert ["log_loss", "brier", "error_rate", "accuracy", "roc_auc"] == list(found)
    assert found["accuracy"].value == pytest.approx(1 - found["error_rate"].value)
    assert 0.5 < found["roc_auc"].lower < found["roc_auc"].upper <= 1


def test_a_category_and_an_instant_may_stand_among_the_features() -> None:
    """Instants only advance, and no method reads them."""
    world = regression(19, rows=(800, 800))
    schema = NUMBERS.model_copy(
        update={
            "features": (
                *NUMBERS.features,
                NUMBERS.features[0].model_copy(update={"name": "place", "kind": "category"}),
                NUMBERS.features[0].model_copy(update={"name": "at", "kind": "time"}),
            )
        }
    )
    random, sides = np.random.default_rng(20), []
    for begin, side in enumerate((world.reference, world.current)):
        table = side.window.table.append_column(
            "place", pa.array(random.choice(["north", "south"], 800)).dictionary_encode()
        ).append_column(
            "at",
            pa.array(np.arange(800) * 60_000_000 + begin * 10**12, pa.timestamp("us", tz="UTC")),
        )
        sides.append(Answered(replace(side.window, schema=schema, table=table), side.predictions))

    record = replace(world, reference=sides[0], current=sides[1]).estimate("squared_error").record

    assert "ok" == record.level


@pytest.mark.parametrize("draw", [binary, regression])
@pytest.mark.parametrize("fill", [np.nan, 7.0, 1e300])
def test_a_column_that_says_nothing_spoils_nothing(draw: object, fill: float) -> None:
    """Never known, constant, or beyond all measure in a few rows: in both windows alike."""
    world = draw(21, rows=(800, 800))  # type: ignore[operator]
    metric = "log_loss" if draw is binary else "squared_error"
    sides = []
    for side in (world.reference, world.current):
        table = side.window.table
        values = np.array(table.column("x3").to_numpy(), copy=True)
        values[: 4 if fill == 1e300 else None] = fill
        place = table.schema.get_field_index("x3")
        column = pa.array(values, pa.float64(), from_pandas=True)
        changed = table.set_column(place, "x3", column)
        sides.append(Answered(replace(side.window, table=changed), side.predictions))

    record = replace(world, reference=sides[0], current=sides[1]).estimate(metric).record

    assert ("ok", []) == (record.level, failed(record))
