"""A shift put into rows of one's own."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.errors import DataError
from modelwarrant.simulation import KINDS, inject, parse_scenario
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window, window_digest

ROWS = 6000
POSSIBLE = [kind for kind in KINDS if kind != "covariate_joint"]


def table(task: str) -> Window:
    """Return rows in which ``a`` decides, ``b`` helps, ``c`` does nothing, with an own drift."""
    rng = np.random.default_rng(1)
    a, b, c = rng.standard_normal((3, ROWS))
    a += np.linspace(0, 3, ROWS)
    score = 2 * a + b + rng.standard_normal(ROWS)
    y = pa.array(score) if task == "regression" else pa.array(np.where(score > 3, "up", "down"))
    kind = pa.array(rng.choice(["k", "l"], ROWS))
    when = pa.array(np.arange(ROWS), pa.timestamp("s", tz="UTC"))
    schema = FeatureSchema(
        features=(
            *(Feature(name=name, kind="number") for name in "abc"),
            Feature(name="k", kind="category"),
            Feature(name="f", kind="boolean"),
            Feature(name="t", kind="time"),
        ),
        task=task,
        target="y",
        classes=None if task == "regression" else ("down", "up"),
    )
    return typed_window(
        pa.table({"a": a, "b": b, "c": c, "k": kind, "f": c > 0, "t": when, "y": y}), schema
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("kind", POSSIBLE)
def test_every_kind_but_a_correlation_can_be_injected(task: str, kind: str) -> None:
    """The stream is made of the table's rows, and the truth counts those of the new regime."""
    stream, truth = inject(table(task), parse_scenario(f"table/{kind}/gradual/0.5"), seed=2)

    assert len(stream) == truth.rows <= ROWS
    assert (0 == truth.shifted_rows) == (kind == "none")


def test_the_drift_of_the_table_itself_is_gone() -> None:
    """Rows are shuffled: without a shift both halves are alike."""
    stream, _ = inject(table("regression"), parse_scenario("table/none"), seed=3)
    a = stream.numbers("a")

    assert a[:3000].mean() == pytest.approx(a[3000:].mean(), abs=0.1)


@pytest.mark.parametrize("kind", ["covariate", "prior"])
def test_a_chosen_regime_repeats_no_row(kind: str) -> None:
    """A tilted regime takes rows of the table, each once, and moves the leading number."""
    stream, truth = inject(table("regression"), parse_scenario(f"table/{kind}/abrupt/1"), seed=4)
    a, half = stream.numbers("a"), truth.change_points[0]

    assert len(a) == len(set(a.tolist()))
    assert a[:half].mean() + 0.5 < a[half:].mean()


def test_a_prior_shift_has_its_size() -> None:
    """The log odds of the classes move by twice the size, as in a simulated stream."""
    stream, truth = inject(
        table("classification"), parse_scenario("table/prior/abrupt/0.5"), seed=9
    )
    up, half = stream.codes("y", ("up",)) == 0, truth.change_points[0]
    odds = [part.mean() / (1 - part.mean()) for part in (up[:half], up[half:])]

    assert 1.0 == pytest.approx(np.log(odds[1] / odds[0]), abs=0.2)  # three standard errors


def test_a_harmless_shift_takes_the_column_that_matters_least() -> None:
    """It moves the number that goes with the target least, after cutting every tie to it."""
    stream, truth = inject(table("regression"), parse_scenario("table/harmless"), seed=5)
    half = truth.change_points[0]

    assert ("c",) == truth.columns
    assert 1.0 == pytest.approx(stream.numbers("c")[half:].mean(), abs=0.1)


def test_a_concept_shift_is_in_the_target_only() -> None:
    """The features are those of the unshifted stream; the labels behind the onset are not."""
    plain, _ = inject(table("classification"), parse_scenario("table/none"), seed=6)
    moved, truth = inject(table("classification"), parse_scenario("table/concept"), seed=6)
    labels = [window.codes("y", ("down", "up")) for window in (plain, moved)]
    half = truth.change_points[0]

    assert np.array_equal(plain.numbers("a"), moved.numbers("a"))
    assert np.array_equal(labels[0][:half], labels[1][:half])
    assert 0.4 < np.mean(labels[0][half:] != labels[1][half:])


def test_the_same_seed_injects_the_same_rows() -> None:
    """The stream is a function of table, scenario and seed."""
    scenario = parse_scenario("table/covariate/gradual/0.5")
    first, again = (inject(table("regression"), scenario, seed=7)[0] for _ in range(2))

    assert window_digest(first) == window_digest(again)


def test_a_correlation_is_refused() -> None:
    """It could not be put into rows without changing the rule as well."""
    with pytest.raises(DataError, match="take a simulated stream"):
        inject(table("regression"), parse_scenario("table/covariate_joint"), seed=0)


def test_too_few_rows_to_choose_from_are_refused() -> None:
    """A strong tilt keeps few rows: of 300 no stream is left."""
    rows = table("regression").take(np.arange(300))

    with pytest.raises(DataError, match="smaller size"):
        inject(rows, parse_scenario("table/covariate/abrupt/2"), seed=0)


def test_too_few_rows_are_refused() -> None:
    """A table of 100 rows makes no stream."""
    with pytest.raises(DataError, match="at least 200 rows"):
        inject(table("regression").take(np.arange(100)), parse_scenario("table/none"), seed=0)


def test_booleans_are_kept_and_instants_left_out() -> None:
    """Rows are shuffled: a time would say nothing, a flag says what it said."""
    stream, _ = inject(table("regression"), parse_scenario("table/none"), seed=8)

    assert ("a", "b", "c", "k", "f") == stream.schema.names
    assert np.array_equal(stream.numbers("c") > 0, stream.numbers("f") == 1)


@pytest.mark.parametrize("kind", ["none", "covariate"])
def test_a_stream_is_no_longer_than_asked_for(kind: str) -> None:
    """Rows that are left over are not used; the onset is where it should be."""
    scenario = parse_scenario(f"table/{kind}/abrupt/0.5")
    stream, truth = inject(table("regression"), scenario, seed=8, rows=1000)

    assert 1000 == len(stream)
    assert (() if kind == "none" else (500,)) == truth.change_points
    with pytest.raises(DataError, match="at least 200"):
        inject(table("regression"), scenario, seed=8, rows=100)
