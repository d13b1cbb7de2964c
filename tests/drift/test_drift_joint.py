"""D3: a classifier sees what no single feature shows, and nothing where nothing is."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from modelwarrant.drift.joint import auc, joint_drift
from modelwarrant.drift.pair import pair_windows
from modelwarrant.records import JointDrift
from modelwarrant.windows import Feature, FeatureSchema, canonical_order


def table(rows: int, *, seed: int, correlation: float = 0.0, shift: float = 0.0) -> pa.Table:
    """Return three numbers, two of them correlated, a category and a boolean."""
    random = np.random.default_rng(seed)
    first, second, third = random.normal(size=(3, rows))
    return pa.table(
        {
            "first": first + shift,
            "second": correlation * first + np.sqrt(1 - correlation**2) * second,
            "third": pa.array(third, mask=random.random(rows) < 0.05),
            "colour": random.choice(["red", "green", "blue"], rows),
            "is_new": random.random(rows) < 0.5,
        }
    )


def joint(reference: pa.Table, current: pa.Table) -> JointDrift:
    """Run D3."""
    pair = pair_windows(reference, current, None)
    orders = canonical_order(pair.reference), canonical_order(pair.current)
    return joint_drift(pair.reference, pair.current, pair.features, orders=orders, alpha=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_no_drift_is_quiet(seed: int) -> None:
    """The AUC stays near one half, and no feature is blamed."""
    found = joint(table(1500, seed=seed), table(1500, seed=100 + seed))

    assert "none" == found.level
    assert found.features == ()
    assert pytest.approx(0.5, abs=0.05) == found.auc


def test_a_correlation_is_seen_though_every_marginal_stays() -> None:
    """Both correlated features are named, and nothing else."""
    found = joint(table(3000, seed=1), table(3000, seed=2, correlation=0.95))

    assert found.level in ("notice", "drift")
    assert {"first", "second"} == set(found.features)


def test_a_large_shift_is_drift_and_names_its_feature() -> None:
    """The lower bound of the AUC is above .65."""
    found = joint(table(1000, seed=1), table(1000, seed=2, shift=1.5))

    assert "drift" == found.level
    assert "first" == found.features[0]
    assert found.auc_lower is not None
    assert found.auc_lower > 0.65


@pytest.mark.parametrize(("n", "m"), [(499, 2000), (2000, 499), (0, 1000)])
def test_below_the_floor_the_level_is_unknown(n: int, m: int) -> None:
    """A short window is never 'no drift'."""
    found = joint(table(n, seed=1), table(m, seed=2, shift=3.0))

    assert ("unknown", None) == (found.level, found.auc)
    assert "500 are needed" in str(found.reason)


def test_row_order_and_threads_change_nothing() -> None:
    """Rows are sorted before they are dealt into folds; one thread is used."""
    reference, current = table(1200, seed=1), table(800, seed=2, shift=0.5)
    expected = joint(reference, current)
    shuffled = current.take(pa.array(np.random.default_rng(3).permutation(800)))
    with threadpool_limits(2):
        found = joint(reference, shuffled)

    assert expected == found


def test_large_windows_are_sampled() -> None:
    """At most 5,000 rows of each are used."""
    found = joint(table(7000, seed=1), table(5500, seed=2))

    assert (5000, 5000) == (found.n_reference, found.n_current)


@pytest.mark.parametrize("levels", [64, 65, 3000])
def test_identifiers_raise_no_alarm(levels: int) -> None:
    """A category of many levels is read by its frequency, which carries no sign of the window."""
    random = np.random.default_rng(1)
    tables = [pa.table({"id": random.integers(0, levels, 1500).astype(str)}) for _ in range(2)]

    assert "none" == joint(*tables).level


def test_new_missing_values_are_seen() -> None:
    """A missing value is a value to the classifier."""
    current = table(1000, seed=2)
    holes = pa.array(np.ones(1000), mask=np.random.default_rng(4).random(1000) < 0.6)
    found = joint(table(1000, seed=1), current.set_column(2, "third", holes))

    assert "third" == found.features[0]


def test_extreme_values_are_no_error() -> None:
    """Infinity and the ends of float64 are read, not raised on."""
    current = table(600, seed=2)
    extreme = np.array([np.inf, -np.inf, 1.7e308, -1.7e308] * 150)
    found = joint(table(600, seed=1), current.set_column(0, "first", pa.array(extreme)))

    assert "drift" == found.level


def test_nothing_that_varies_is_unknown() -> None:
    """Constants and missing columns leave nothing to learn from."""
    constant = pa.table({"x": [1.0] * 600, "y": pa.nulls(600)})

    assert "no feature varies" == joint(constant, constant).reason


def test_instants_are_left_out() -> None:
    """Any two windows differ in time."""
    reference, current = (
        table(600, seed=seed).append_column(
            "at", pa.array(range(seed * 600, seed * 600 + 600), pa.timestamp("s"))
        )
        for seed in (1, 2)
    )

    assert "none" == joint(reference, current).level


def test_shared_rows_are_pointed_out() -> None:
    """A window compared with itself is quiet, and the report says why."""
    rows = table(800, seed=1)

    assert "stand in the other too" in str(joint(rows, rows).reason)


def test_the_area_is_that_of_scikit_learn() -> None:
    """With ties."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, 400)
    scores = np.round(random.normal(size=400) + labels, 1)
    found = auc(labels, scores, alpha=0.01)

    assert pytest.approx(roc_auc_score(labels, scores)) == found.value
    assert found.lower < found.value


def test_the_lower_bound_is_that_of_delong() -> None:
    """The design's fixed scores: AUC .761071 and .696071."""
    index = np.arange(200)
    labels = ((7919 * index) % 10 < 3).astype(np.int64)
    first = ((104_729 * index) % 1000) / 1000 + 0.35 * labels
    second = ((1_299_709 * index) % 1000) / 1000 + 0.25 * labels

    assert pytest.approx(0.761071, abs=5e-7) == auc(labels, first, alpha=0.05).value
    assert pytest.approx(0.696071, abs=5e-7) == auc(labels, second, alpha=0.05).value


def test_perfect_separation_has_a_bound_of_one() -> None:
    """No pair is in the wrong order."""
    labels = np.repeat([0, 1], 50)

    assert 1.0 == auc(labels, labels.astype(float), alpha=0.01).lower


def series(days: int, *, seed: int, correlation: float = 0.0) -> pa.Table:
    """Return hourly rows of weather that lasts for days, their month and hour."""
    random = np.random.default_rng(seed)
    steps = random.normal(size=(2, days * 24)) * 0.15
    slow = np.zeros_like(steps)
    for hour in range(1, days * 24):
        slow[:, hour] = 0.985 * slow[:, hour - 1] + steps[:, hour]
    hours = np.arange(days * 24)
    return pa.table(
        {
            "at": pa.array(hours * 3_600_000_000, pa.timestamp("us")),
            "warmth": slow[0],
            "pressure": correlation * slow[0] + np.sqrt(1 - correlation**2) * slow[1],
            "month": hours // 720,
            "hour": hours % 24,
        }
    )


def joint_in_time(reference: pa.Table, current: pa.Table) -> JointDrift:
    """Run D3 on windows that have a time column."""
    schema = FeatureSchema(
        features=tuple(
            Feature(name=name, kind="number") for name in ("warmth", "pressure", "month", "hour")
        ),
        time="at",
    )
    pair = pair_windows(reference, current, schema)
    orders = canonical_order(pair.reference), canonical_order(pair.current)
    return joint_drift(pair.reference, pair.current, pair.features, orders=orders, alpha=0.01)


def test_neighbours_in_time_do_not_make_two_years_differ() -> None:
    """Folds are stretches of time: rows dealt one by one gave an AUC of .8 without drift."""
    found = joint_in_time(series(240, seed=1), series(240, seed=2))

    assert "none" == found.level
    assert found.auc is not None
    assert found.auc < 0.6


def test_a_column_that_tells_the_time_is_left_out_and_named() -> None:
    """The month stands still within a stretch; the hour does not."""
    found = joint_in_time(series(240, seed=1), series(240, seed=2))

    assert "left out, for they tell the time: month" == found.reason


def test_a_correlation_is_seen_across_stretches_of_time() -> None:
    """Both features are named though neighbours in time stay together."""
    found = joint_in_time(series(240, seed=1), series(240, seed=2, correlation=0.95))

    assert found.level in ("notice", "drift")
    assert {"warmth", "pressure"} == set(found.features)
