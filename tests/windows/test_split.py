"""The final split is the newest labelled rows, and no training row is as new."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modelwarrant.errors import WindowError
from modelwarrant.windows import FinalSplit, SplitSpan, TrainingSplit, split, training_rows
from tests.windows.frames_of_rows import timed, window

LABELLED = st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 5)), min_size=2)
SHARES = st.floats(0.05, 0.95)


@given(LABELLED, SHARES)
def test_final_rows_are_strictly_newer_and_no_labelled_row_is_lost(
    rows: list[tuple[int, int | None]], final: float
) -> None:
    """Every labelled row is in exactly one split; unlabelled rows are in none."""
    instants, labels = zip(*rows, strict=True)
    try:
        train, newest = split(timed(instants, labels), final=final)
    except WindowError:
        assume(False)
    both = [*train.window.numbers("row"), *newest.window.numbers("row")]

    assert train.window.order.max() < newest.window.order.min()
    assert [index for index, label in enumerate(labels) if label is not None] == sorted(both)


@given(st.integers(2, 60), SHARES)
def test_the_final_share_is_the_one_asked_for(rows: int, final: float) -> None:
    """With distinct times the share is met to one row."""
    try:
        _, newest = split(timed(range(rows)), final=final)
    except WindowError:
        assume(False)

    assert abs(len(newest.window) - rows * final) <= 1


def test_rows_of_one_instant_are_never_divided() -> None:
    """The instant of the cut goes to the final split as a whole."""
    train, newest = split(timed([0, 1, 1, 1, 2]), final=0.4)

    assert [0.0] == train.window.numbers("row").tolist()
    assert len(newest.window) == 4


@pytest.mark.parametrize("final", [0.0, 1.0, -0.2, 7.0, float("nan")])
def test_a_share_outside_zero_and_one_is_refused(final: float) -> None:
    """The error names the share."""
    with pytest.raises(WindowError, match="final share"):
        split(timed([0, 1, 2]), final=final)


def test_a_split_without_training_rows_is_refused() -> None:
    """One instant cannot be divided; the error says what to do."""
    with pytest.raises(WindowError, match="leaves none to train on; use a longer window"):
        split(timed([5, 5, 5]), final=0.3)


def test_a_window_without_a_label_is_refused() -> None:
    """The error names the target."""
    with pytest.raises(WindowError, match="no row of the window has a target 'label'"):
        split(timed([0, 1], [None, None]), final=0.3)


def test_a_window_without_a_target_column_is_refused() -> None:
    """The error names the target."""
    rows = window([(1.0, "a", True, 1)])
    bare = type(rows)(rows.schema, rows.table.drop_columns(["label"]))
    with pytest.raises(WindowError, match="no target column 'label'"):
        split(bare, final=0.3)


@given(st.lists(st.integers(0, 30), min_size=4, max_size=40), SHARES, st.integers(1, 29))
def test_training_rows_never_reach_a_final_split(
    instants: list[int], final: float, boundary: int
) -> None:
    """Of two windows that share an edge, no kept row is in either final split, and none twice."""
    parts = [
        [i for i in instants if i < boundary],
        [i for i in instants if i >= boundary],
    ]
    try:
        pairs = [split(timed(part), final=final) for part in parts]
        kept = training_rows(
            [train for train, _ in pairs], current=_span(*pairs[1]), reference=_span(*pairs[0])
        )
    except (WindowError, ValueError):
        assume(False)
    finals = {order for _, newest in pairs for order in newest.window.order.tolist()}
    taken = [order for train in kept for order in train.window.order.tolist()]

    assert not finals & set(taken)
    assert max(taken) < _span(*pairs[1]).final_first


def test_a_current_final_split_inside_the_reference_is_refused() -> None:
    """Those rows were trained on, so they cannot judge."""
    reference, current = split(timed(range(10)), final=0.2), split(timed(range(8)), final=0.2)
    with pytest.raises(WindowError, match="was trained on"):
        training_rows([current[0]], current=_span(*current), reference=_span(*reference))


def _span(train: TrainingSplit, newest: FinalSplit) -> SplitSpan:
    order = newest.window.order
    return SplitSpan(int(train.window.order.min()), int(order.min()), int(order.max()))
