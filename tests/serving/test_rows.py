import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import RecordError
from modelwarrant.windows import Feature, FeatureSchema
from serving.checks import example_row
from serving.rows import RowError, RowReader, Rows, mark_limit, parse_body
from tests.serving.tiny import FEATURES, ROW, regression

SCHEMA = regression()


def read(document: Any, *, max_rows: int = 3, problems_shown: int = 20) -> Rows:
    """Read a parsed body."""
    return RowReader(SCHEMA).read(document, max_rows=max_rows, problems_shown=problems_shown)


def problems(document: Any, **limits: int) -> list[tuple[int | None, str | None, str]]:
    """Return what is wrong with a parsed body."""
    with pytest.raises(RowError) as caught:
        read(document, **limits)
    return [(one.row, one.field, one.problem) for one in caught.value.problems]


def test_one_row_is_encoded_as_the_bundle_reads_it() -> None:
    """Missing is NaN, a level its position, a boolean 0 or 1, a time seconds since 1970."""
    at = datetime(2013, 1, 1, 5, 15, tzinfo=UTC).timestamp()

    rows = read(ROW)

    np.testing.assert_array_equal([[500.0, np.nan, 1.0, 1.0, 1.0, at]], rows.values)
    assert not rows.is_batch


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_time_that_no_calendar_holds_in_utc_is_refused(time: str) -> None:
    """The log keeps UTC, and whoever reads it could not."""
    found = problems({**ROW, "departure": time})

    assert [(0, "departure", "is outside the years 1 to 9999")] == found


def test_several_rows_keep_their_order() -> None:
    """``rows`` holds one object a row."""
    rows = read({"rows": [ROW, {**ROW, "distance": 7}]})

    assert [500.0, 7.0] == rows.values[:, 0].tolist()
    assert rows.is_batch


def test_level_the_model_never_saw_is_read() -> None:
    """Another level is drift, not a broken request."""
    rows = read({**ROW, "carrier": "ZZ"})

    assert -1.0 == rows.values[0, 2]
    assert {2: {0: "ZZ"}} == rows.unseen


def test_time_without_zone_is_utc() -> None:
    """A naive time and the same one with Z are equal."""
    naive = read({**ROW, "departure": "2013-01-01T05:15:00"})

    np.testing.assert_array_equal(read(ROW).values, naive.values)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("distance", None, "may not be null"),
        ("distance", "12", "must be a number"),
        ("distance", True, "must be a number"),
        ("distance", [1], "must be a number"),
        ("distance", float("nan"), "must be a finite number"),
        ("distance", float("inf"), "must be a finite number"),
        ("distance", 10**400, "must be a finite number"),
        ("distance", -0.5, "is outside its range [0.0, 5000.0]"),
        ("distance", 5000.5, "is outside its range [0.0, 5000.0]"),
        ("wind", float("nan"), "must be a finite number; write null for a missing value"),
        ("wind", {}, "must be a number"),
        ("carrier", 3, "must be text"),
        ("carrier", None, "may not be null"),
        ("carrier", "\ud800", "must be text without lone surrogates"),
        ("month", 2.5, "must be text or a whole number"),
        ("month", True, "must be text or a whole number"),
        ("night", 1, "must be true or false"),
        ("night", "true", "must be true or false"),
        ("departure", 1357017300, "must be an ISO 8601 time as text"),
        ("departure", "tomorrow", "must be an ISO 8601 time as text"),
        ("departure", "2013-13-01", "must be an ISO 8601 time as text"),
    ],
)
def test_wrong_value_is_named_by_row_and_field(field: str, value: Any, problem: str) -> None:
    """The problem names row and field and says what is asked for, never the value."""
    assert [(1, field, problem)] == problems({"rows": [ROW, {**ROW, field: value}]})


def test_absent_and_unknown_fields_are_all_named() -> None:
    """One answer names every field that must change."""
    row = {name: value for name, value in ROW.items() if name not in ("wind", "night")}

    found = problems({**row, "nights": True})

    assert [
        (0, "nights", "is not a field of this model"),
        (0, "wind", "is absent"),
        (0, "night", "is absent"),
    ] == found


def test_doubled_field_is_named() -> None:
    """JSON readers take the last of two; here the request is refused."""
    body = b'{"rows": [{"distance": 1, "distance": 2}]}'

    assert (0, "distance", "stands more than once") == problems(parse_body(body, most_marks=100))[0]


def test_problems_end_after_the_number_asked_for() -> None:
    """A bad batch does not fill the answer with every row."""
    found = problems({"rows": [{}, {}, {}]}, problems_shown=4)

    assert 4 == len(found)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([ROW], None),
        ("text", None),
        (None, None),
        (3, None),
        ({"rows": []}, "rows"),
        ({"rows": [ROW] * 4}, "rows"),
        ({"rows": [ROW], "distance": 1}, "distance"),
    ],
)
def test_wrong_frame_is_refused(document: Any, field: str | None) -> None:
    """Neither one row nor a list of rows within the limit."""
    assert field == problems(document)[0][1]


def test_rows_that_are_no_objects_are_refused() -> None:
    """A row without names cannot be matched to fields."""
    assert [(1, None, "is not an object of named fields")] == problems({"rows": [ROW, [1, 2]]})


def test_feature_may_be_called_rows() -> None:
    """A list under ``rows`` is a batch, a number is that feature's value."""
    reader = RowReader(regression([Feature(name="rows", kind="number")]))

    one = reader.read({"rows": 1.5}, max_rows=2, problems_shown=1)
    two = reader.read({"rows": [{"rows": 1}, {"rows": 2}]}, max_rows=2, problems_shown=1)

    assert ([1.5], [1.0, 2.0]) == (one.values[:, 0].tolist(), two.values[:, 0].tolist())


def test_field_names_of_a_client_are_shown_short_and_writable() -> None:
    """A name may hold anything; what is shown of it can be encoded and is not long."""
    _, field, _ = problems({**ROW, "\udcff" * 200: 1})[0]

    assert field is not None
    assert "?" * 77 + "..." == field


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"1" * 5000, b'{"a": 1} x', b"nan"]
)
def test_body_that_is_no_json_is_refused(body: bytes) -> None:
    """Whatever the parser raises, it is one error of ours."""
    with pytest.raises(RecordError):
        parse_body(body, most_marks=10**6)


@pytest.mark.parametrize(
    "body", ['{"rows":[' + "[]," * 99 + "[]]}", "{" + '"a":1,' * 99 + '"a":1}', "[" * 300]
)
def test_body_that_would_fill_the_memory_is_refused_before_it_is_parsed(body: str) -> None:
    """Three bytes of JSON can become 150 of Python objects; more than rows can need is refused."""
    limit = mark_limit(SCHEMA, 4)
    assert body.count("[") + body.count(",") + body.count(":") > limit

    with pytest.raises(RecordError, match="more names and values than the most rows have"):
        parse_body(body.encode(), most_marks=limit)


def test_most_rows_with_marks_in_their_texts_are_read() -> None:
    """The limit leaves room for texts that hold such marks themselves."""
    rows = [{**ROW, "carrier": "[a, b: {c}]"}] * 50

    found = parse_body(json.dumps({"rows": rows}).encode(), most_marks=mark_limit(SCHEMA, 50))

    assert {"rows": rows} == found


_NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def _features(draw: st.DrawFn) -> Feature:
    kind = draw(st.sampled_from(["number", "category", "boolean", "time"]))
    described: dict[str, Any] = {"kind": kind, "missing": draw(st.booleans())}
    if kind == "number":
        low, high = draw(_NUMBERS), draw(_NUMBERS)
        if low is not None and high is not None:
            low, high = min(low, high), max(low, high)
        described["range"] = (low, high)
    if kind == "category":
        described["categories"] = tuple(draw(st.lists(st.text("ab1É"), unique=True, max_size=3)))
    return Feature(name="x", **described)


@settings(deadline=None)  # a neighbour on the machine is no fault of ours
@given(_features())
def test_example_row_is_always_a_row(feature: Feature) -> None:
    """The example in the documents is accepted, whatever the schema."""
    schema = FeatureSchema(features=(feature, FEATURES[0]), task="regression", target="y")

    rows = RowReader(schema).read(example_row(schema), max_rows=1, problems_shown=1)

    assert 1 == len(rows)
