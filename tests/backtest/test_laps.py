"""A stream cut into windows."""

import pytest

from modelwarrant.backtest import cut_into_laps
from modelwarrant.errors import WindowError
from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.windows import window_digest

STREAM, _ = simulate(parse_scenario("loans/none"), rows=1000, seed=1)


def test_windows_follow_each_other() -> None:
    """Each window begins where the one before ended, and its newest share is the final split."""
    laps = cut_into_laps(STREAM, windows=4, final=0.3, source="here")

    assert ["0:250", "250:500", "500:750", "750:1000"] == [lap.ref.bounds for lap in laps]
    assert {(175, 75)} == {(len(lap.train.window), len(lap.final.window)) for lap in laps}
    assert window_digest(laps[2].final.window) == laps[2].ref.final_digest


def test_rows_behind_the_last_whole_window_are_left() -> None:
    """All windows have the same number of rows."""
    laps = cut_into_laps(STREAM, windows=3, final=0.3, source="here")

    assert [333, 333, 333] == [len(lap.window) for lap in laps]


@pytest.mark.parametrize(("windows", "named"), [(2, "at least 3"), (1001, "make no 1001 windows")])
def test_windows_that_decide_nothing_are_refused(windows: int, named: str) -> None:
    """Too few windows, or too few rows for them, are one error."""
    with pytest.raises(WindowError, match=named):
        cut_into_laps(STREAM, windows=windows, final=0.3, source="here")


def test_a_window_that_breaks_its_contract_has_no_validation() -> None:
    """Fewer labelled rows than the contract asks for: the lifecycle would stop there."""
    laps = cut_into_laps(STREAM, windows=25, final=0.3, source="here")

    assert laps[0].validation is None
