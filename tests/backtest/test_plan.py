"""Into which windows a history is cut, and what is said of their length."""

import pyarrow as pa
import pytest

from modelwarrant.backtest.course import Course
from modelwarrant.backtest.laps import Lap
from modelwarrant.backtest.plan import Plan, Terms, plan_windows
from modelwarrant.errors import TrainingError, WindowError
from modelwarrant.policy import default_policy
from modelwarrant.records import Recipe
from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.windows import Window

STREAM, _ = simulate(parse_scenario("rents/none"), rows=9000, seed=1)
TERMS = Terms(final=0.4, season=None, delay=0, source="here")


def course_of(laps: tuple[Lap, ...]) -> Course:
    """Return a course of linear models."""
    return Course(laps, Recipe(model="linear"), "squared_error")


def test_the_default_is_the_shortest_window_that_can_decide() -> None:
    """Its final share holds the labels that the policy asks for, or those of the least gain."""
    plan = plan_windows(STREAM, TERMS, length=None, rules=default_policy(), course_of=course_of)

    assert plan.is_default
    assert plan.can_promote
    assert 500 <= min(len(lap.final.window) for lap in plan.laps)
    assert plan.n_required is not None
    assert plan.length * TERMS.final >= 500


def test_a_window_that_can_never_promote_is_named() -> None:
    """Its final share is below the policy's least number of labels."""
    plan = plan_windows(STREAM, TERMS, length=1000, rules=default_policy(), course_of=course_of)

    assert not plan.can_promote
    assert "at most 400 labels judge in it, and the policy asks for 500" in plan.remarks[0]


def test_rows_that_make_no_whole_window_are_told() -> None:
    """Nothing is left out silently."""
    plan = plan_windows(STREAM, TERMS, length=2000, rules=default_policy(), course_of=course_of)

    assert 4 == len(plan.laps)
    assert "1,000 rows make no whole window and are left out" in plan.remarks


def _one_label_first(rows: int) -> Window:
    """Return a stream whose first rows all have the same label."""
    stream, _ = simulate(parse_scenario("loans/none"), rows=5000, seed=1)
    place = stream.table.column_names.index("y")
    labels = stream.table.column(place).to_pylist()
    column = pa.array(["no"] * rows + labels[rows:])
    return Window(stream.schema, stream.table.set_column(place, "y", column))


def _planned(stream: Window) -> Plan:
    def course(laps: tuple[Lap, ...]) -> Course:
        return Course(laps, Recipe(model="linear"), "log_loss")

    return plan_windows(stream, TERMS, length=1000, rules=default_policy(), course_of=course)


def test_a_history_begins_where_a_model_can_be_made() -> None:
    """A window with one label alone teaches nothing; the remark says so, and why."""
    plan = _planned(_one_label_first(1500))

    assert 4 == len(plan.laps)
    (remark,) = [each for each in plan.remarks if "the history begins" in each]
    assert remark.startswith("the history begins with 1000:2000: no model can be made of what was")


def test_a_history_of_one_label_is_refused() -> None:
    """Nothing to start from: the error says which window lacks what, and what to do."""
    with pytest.raises(TrainingError, match=r"first 3 windows.* 0:1000: .*take a longer --window"):
        _planned(_one_label_first(4000))


@pytest.mark.parametrize(
    ("length", "named"), [(4000, "makes 2 windows"), (9001, "makes 0 windows")]
)
def test_too_short_a_history_is_refused(length: int, named: str) -> None:
    """One window to start from, one to decide on, one that judges."""
    with pytest.raises(WindowError, match=named):
        plan_windows(STREAM, TERMS, length=length, rules=default_policy(), course_of=course_of)
