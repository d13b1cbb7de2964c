"""Scenarios: their text, where they are in force, and what is refused."""

import numpy as np
import pytest

from modelwarrant.errors import DataError
from modelwarrant.simulation import KINDS, SHAPES, change_points, intensity, parse_scenario


def test_a_scenario_is_its_text() -> None:
    """The text form is read back as it was written."""
    text = "rents/covariate/gradual/0.25"

    assert text == parse_scenario(text).text


def test_every_kind_and_shape_is_explained() -> None:
    """What a person may write is what the tables explain."""
    for kind in KINDS:
        for shape in SHAPES:
            assert kind == parse_scenario(f"sea/{kind}/{shape}").kind


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("concept", "BASE/KIND"),
        ("sea/", "BASE/KIND"),
        ("sea/concpet", "did you mean 'concept'"),
        ("sea/concept/sudden", "shape 'sudden'"),
        ("sea/concept/abrupt/big", "'big' is not a number"),
        ("sea/concept/abrupt/nan", "not finite"),
        ("sea/concept/abrupt/0", "above 0"),
        ("sea/concept/abrupt/3", "up to 2"),
        ("sea/concept/abrupt/1/7", "BASE/KIND"),
    ],
)
def test_a_wrong_text_is_named(text: str, named: str) -> None:
    """One error says what of the scenario is at fault."""
    with pytest.raises(DataError, match=named):
        parse_scenario(text)


@pytest.mark.parametrize("onset", [0.0, 1.0, -0.5])
def test_an_onset_outside_the_stream_is_refused(onset: float) -> None:
    """The shift begins inside the stream."""
    with pytest.raises(DataError, match="onset and width"):
        parse_scenario("sea/concept", onset=onset)


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_in_force_before_the_onset(shape: str) -> None:
    """Whatever the shape, the rows before the first change point are of the old regime."""
    scenario = parse_scenario(f"sea/concept/{shape}", onset=0.4)
    found = intensity(scenario, 1000, np.random.default_rng(1))

    assert 400 == change_points(scenario, 1000)[0]
    assert 0 == found[:400].max()
    assert 1 >= found.max() > 0


def test_a_gradual_shift_mixes_and_ends_in_the_new_regime() -> None:
    """Half of the rows in the middle of its width are of the new regime, nearly all behind it."""
    scenario = parse_scenario("sea/concept/gradual", onset=0.2, width=0.4)
    found = intensity(scenario, 100_000, np.random.default_rng(2))

    assert 0.5 == pytest.approx(found[39_000:41_000].mean(), abs=0.05)
    assert 0.97 < found[65_000:].mean()
    assert {0.0, 1.0} == set(found.tolist())


def test_an_incremental_shift_moves_in_small_steps() -> None:
    """The rule itself moves: there are rows between the regimes."""
    scenario = parse_scenario("sea/concept/incremental", onset=0.5, width=0.25)
    found = intensity(scenario, 1000, np.random.default_rng(0))

    assert 0.5 == pytest.approx(found[625])
    assert 1.0 == found[750:].min()


def test_a_recurring_shift_comes_and_goes() -> None:
    """Each switch is a change point, and the regimes alternate between them."""
    scenario = parse_scenario("sea/concept/recurring", onset=0.5, width=0.125)
    found = intensity(scenario, 800, np.random.default_rng(0))

    assert (400, 500, 600, 700) == change_points(scenario, 800)
    assert [1, 0, 1, 0] == [found[row] for row in (450, 550, 650, 750)]


def test_a_passing_shift_ends_after_its_width() -> None:
    """A fault that is mended: in force from the onset for its width, then the old regime again."""
    scenario = parse_scenario("sea/unit/passing", onset=0.5, width=0.125)
    found = intensity(scenario, 800, np.random.default_rng(0))

    assert (400, 500) == change_points(scenario, 800)
    assert [0, 1, 0, 0] == [found[row] for row in (399, 450, 500, 799)]
