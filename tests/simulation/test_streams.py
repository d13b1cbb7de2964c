"""Simulated streams: what was asked for is what is in them, and the truth says so."""

import numpy as np
import numpy.typing as npt
import pytest

from modelwarrant.errors import DataError
from modelwarrant.records.simulation import StreamTruth
from modelwarrant.simulation import BASES, KINDS, parse_scenario, simulate
from modelwarrant.windows import Window, window_digest

ROWS = 20_000
HALF = ROWS // 2


def halves(text: str, column: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a number before and after the onset of an abrupt shift."""
    window, _ = simulate(parse_scenario(text), rows=ROWS, seed=3)
    values = window.numbers(column)
    return values[:HALF], values[HALF:]


def share(window: Window) -> npt.NDArray[np.float64]:
    """Return 1 where the answer is yes."""
    return window.codes("y", ("no", "yes")).astype(np.float64)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_scenario_can_be_drawn(base: str, kind: str) -> None:
    """Each kind gives rows of the declared schema, and its truth counts the rows it is in."""
    window, truth = simulate(parse_scenario(f"{base}/{kind}/gradual/0.5"), rows=1000, seed=1)

    assert 1000 == len(window) == truth.rows
    assert (0 == truth.shifted_rows) == (kind == "none")
    assert truth == StreamTruth.from_bytes(truth.to_bytes(), name="truth")


def test_the_same_seed_draws_the_same_rows() -> None:
    """Rows are a function of scenario, length and seed."""
    scenario = parse_scenario("friedman/prior/gradual/0.5")
    first, again = (simulate(scenario, rows=500, seed=9)[0] for _ in range(2))
    other, _ = simulate(scenario, rows=500, seed=10)

    assert window_digest(first) == window_digest(again)
    assert window_digest(first) != window_digest(other)


def test_a_covariate_shift_moves_by_its_size() -> None:
    """The size is in standard deviations of the leading numbers; the spare one stays."""
    before, after = halves("loans/covariate/abrupt/0.5", "x1")
    spare_before, spare_after = halves("loans/covariate/abrupt/0.5", "spare")

    assert 0.5 == pytest.approx(after.mean() - before.mean(), abs=0.05)  # three standard errors
    assert 0.0 == pytest.approx(spare_after.mean() - spare_before.mean(), abs=0.05)


def test_a_joint_shift_leaves_the_marginals() -> None:
    """Only the correlation of the two leading numbers changes."""
    x1, x2 = (
        halves("loans/covariate_joint/abrupt/0.8", "x1"),
        halves("loans/covariate_joint/abrupt/0.8", "x2"),
    )

    assert 0.0 == pytest.approx(np.corrcoef(x1[0], x2[0])[0, 1], abs=0.04)
    assert 0.8 == pytest.approx(np.corrcoef(x1[1], x2[1])[0, 1], abs=0.03)
    assert 1.0 == pytest.approx(x2[1].std(), abs=0.03)


def test_a_prior_shift_moves_the_classes_and_nothing_within_them() -> None:
    """Log odds move by twice the size; a number's mean within a class stays."""
    window, _ = simulate(parse_scenario("loans/prior/abrupt/0.5"), rows=4 * ROWS, seed=4)
    yes, x1 = share(window), window.numbers("x1")
    old, new = yes[: 2 * ROWS], yes[2 * ROWS :]
    odds = [np.log(part.mean() / (1 - part.mean())) for part in (old, new)]
    within = [
        part[labels == 1].mean() for part, labels in ((x1[: 2 * ROWS], old), (x1[2 * ROWS :], new))
    ]

    assert 1.0 == pytest.approx(odds[1] - odds[0], abs=0.06)
    assert within[0] == pytest.approx(within[1], abs=0.05)


def test_a_concept_shift_leaves_every_column_alone() -> None:
    """No unlabelled signal sees it: the features are the same rows, only the target differs."""
    plain, _ = simulate(parse_scenario("sea/none"), rows=ROWS, seed=5)
    moved, truth = simulate(parse_scenario("sea/concept"), rows=ROWS, seed=5)

    assert truth.rule_moves
    assert np.array_equal(plain.numbers("x1"), moved.numbers("x1"))
    assert share(plain)[HALF:].mean() + 0.1 < share(moved)[HALF:].mean()


def test_a_subgroup_concept_moves_one_site() -> None:
    """Outside the subgroup the answers are those of the unshifted stream."""
    plain, _ = simulate(parse_scenario("rents/none"), rows=ROWS, seed=6)
    moved, _ = simulate(parse_scenario("rents/concept_subgroup"), rows=ROWS, seed=6)
    is_south = moved.codes("site", ("south",)) == 0
    differs = plain.numbers("y") != moved.numbers("y")

    assert not differs[:HALF].any()
    assert is_south[HALF:].tolist() == differs[HALF:].tolist()


def test_a_harmless_shift_moves_nothing_that_matters() -> None:
    """The spare number moves; the target and its drivers are those of the unshifted stream."""
    plain, _ = simulate(parse_scenario("rents/none"), rows=ROWS, seed=7)
    moved, truth = simulate(parse_scenario("rents/harmless"), rows=ROWS, seed=7)

    assert ("spare",) == truth.columns
    assert np.array_equal(plain.numbers("y"), moved.numbers("y"))
    assert 1.0 == pytest.approx(moved.numbers("spare")[HALF:].mean(), abs=0.05)


@pytest.mark.parametrize(
    ("kind", "expected"), [("missing", 0.3), ("missing_mar", 0.15), ("missing_mnar", 0.15)]
)
def test_values_go_missing_as_often_as_the_size_says(kind: str, expected: float) -> None:
    """The share of missing rows after the onset; half of it where only high rows are dropped."""
    _, after = halves(f"loans/{kind}/abrupt/0.5", "x1")

    assert expected == pytest.approx(np.isnan(after).mean(), abs=0.02)


def test_a_unit_change_multiplies() -> None:
    """At size 1 the column is a hundred times as large."""
    before, after = halves("loans/unit", "x1")

    assert 100 == pytest.approx(after.std() / before.std(), rel=0.05)


def test_a_new_level_was_never_seen_before() -> None:
    """The level stands behind the onset only, in three rows of ten at size 1."""
    window, _ = simulate(parse_scenario("sea/new_level"), rows=ROWS, seed=8)
    is_new = window.codes("site", ("outpost",)) == 0

    assert not is_new[:HALF].any()
    assert 0.3 == pytest.approx(is_new[HALF:].mean(), abs=0.02)


def test_label_noise_raises_what_no_model_can_avoid() -> None:
    """The truth states the true rule's own loss on both sides of the onset."""
    _, truth = simulate(parse_scenario("rents/label_noise/abrupt/0.5"), rows=ROWS, seed=1)

    assert (16.0, 64.0) == (truth.noise_before, truth.noise_after)


@pytest.mark.parametrize(("text", "rows"), [("mars/concept", 1000), ("sea/concept", 50)])
def test_what_cannot_be_drawn_is_refused(text: str, rows: int) -> None:
    """No such stream, and too short a one, are errors that say what to take instead."""
    with pytest.raises(DataError, match="take"):
        simulate(parse_scenario(text), rows=rows, seed=0)
