"""Labels that come late, rows that a waiting candidate meets, and stretches of windows."""

import numpy as np
import pytest

from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.laps import cut_where, pooled
from modelwarrant.errors import WindowError
from modelwarrant.records import Recipe
from modelwarrant.simulation import parse_scenario, simulate

STREAM, _ = simulate(parse_scenario("rents/none"), rows=1000, seed=1)
EDGES = [0, 250, 500, 750, 1000]


def course(delay: int = 0) -> Course:
    """Return a course of linear models over four windows."""
    laps = cut_where(STREAM, EDGES, final=0.4, source="here", delay=delay)
    return Course(laps, Recipe(model="linear"), "squared_error")


def test_a_late_label_is_unknown_when_its_window_ends_and_judges_all_the_same() -> None:
    """What is trained on and judged by ends 50 rows earlier; the next window's loss has them."""
    lap = course(delay=50).laps[1]

    assert (250, 200, 250) == (
        len(lap.window),
        len(lap.window.labelled()),
        len(lap.whole.labelled()),
    )
    assert (120, 80) == (len(lap.train.window), len(lap.final.window))
    assert 449 == lap.final.window.order.max()


def test_a_delay_as_long_as_a_window_is_refused() -> None:
    """No window would have a label when it ends."""
    with pytest.raises(WindowError, match="too few whose label has come by its end"):
        cut_where(STREAM, EDGES, final=0.4, source="here", delay=250)


def test_a_waiting_candidate_meets_every_row_that_it_has_not_seen() -> None:
    """The final split of its own window, then all labelled rows since; none of them trained it."""
    laps = course().laps
    pool = pooled(laps, 1, 3)

    assert list(range(400, 1000)) == sorted(pool.final.window.order.tolist())
    assert not set(pool.final.window.order) & set(laps[1].train.window.order)
    assert "400:1000" == pool.ref.bounds


def test_the_pool_of_one_window_is_the_window() -> None:
    """Nothing is pooled before there is something to pool."""
    laps = course().laps

    assert laps[2] is pooled(laps, 2, 2)


def test_a_stretch_leaves_the_final_splits_of_both_models_out() -> None:
    """What judges candidate and production has trained neither, or nothing could be compared."""
    found = course()
    model = found.spanning(Span(first=0, lap=2, without=1))
    learned = np.concatenate([split.window.order for split in found.training(model)])

    assert 2 == found.lap_of(model)
    assert not set(learned) & set(found.laps[1].final.window.order)
    assert not set(learned) & set(found.laps[2].final.window.order)
    assert set(found.laps[0].final.window.order) <= set(learned)


def test_a_stretch_is_one_model_whoever_asks_for_it() -> None:
    """Two rules that train on the same windows share the fit."""
    found = course()
    first, again = (found.spanning(Span(0, 1, 0)) for _ in range(2))

    assert first == again
    assert first != found.spanning(Span(1, 1, 0))


def test_the_manifest_of_a_stretch_names_its_rows() -> None:
    """So that ``train: A..B`` in a project makes the same model."""
    found = course()
    model = found.spanning(Span(first=0, lap=2, without=1))
    manifest = found.manifest(2, production=0, candidate=model)

    assert "own" == manifest.train
    assert manifest.own is not None
    assert "0:650" == manifest.own.bounds
