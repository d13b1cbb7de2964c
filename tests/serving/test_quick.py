"""The quick reader accepts nothing that the careful one refuses, and reads the same values."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import WarrantError
from modelwarrant.windows import Feature, FeatureSchema
from serving.bounds import Bounds
from serving.quick import QuickReader
from serving.rows import RowReader, Rows, parse_body
from tests.serving.broken import bodies
from tests.serving.tiny import ROW, regression

SCHEMA = regression()
NUMBERS = regression([Feature(name=name, kind="number") for name in "ab"])


def quickly(body: bytes, schema: FeatureSchema = SCHEMA, *, max_rows: int = 3) -> Rows | None:
    """Read a body quickly."""
    return QuickReader(schema, Bounds(schema)).read(body, max_rows=max_rows)


def carefully(body: bytes, schema: FeatureSchema = SCHEMA, *, max_rows: int = 3) -> Rows | None:
    """Read a body carefully; None where it is refused."""
    try:
        return RowReader(schema).read(
            parse_body(body, most_marks=10**6), max_rows=max_rows, problems_shown=1
        )
    except WarrantError:
        return None


def assert_same(expected: Rows | None, found: Rows) -> None:
    """Compare two readings bit by bit."""
    assert expected is not None
    np.testing.assert_array_equal(expected.values, found.values)
    assert (expected.unseen, expected.is_batch) == (found.unseen, found.is_batch)


@pytest.mark.parametrize(
    "document",
    [
        ROW,
        {**ROW, "carrier": "ZZ", "month": "13"},
        {**ROW, "carrier": "a:b", "wind": -0.0},
        {"rows": [ROW, {**ROW, "distance": 7, "month": None, "carrier": ":"}]},
        dict(reversed(ROW.items())),
    ],
)
def test_right_body_is_read_quickly(document: Any) -> None:
    """With the values that the careful reader finds."""
    body = json.dumps(document).encode()

    found = quickly(body)

    assert found is not None
    assert_same(carefully(body), found)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2,"b":2}',
        b'{"rows":[{"a":1,"b":2,"b":2}]}',
        b'{"rows":[{"a":1,"b":2}],"rows":[{"a":1,"b":2}]}',
        b'{"a":1}',
        b'{"a":1,"b":null}',
        b'{"a":1,"b":"2"}',
        b'{"a":1,"b":1e999}',
        b'{"rows":[]}',
        b'{"rows":[{"a":1,"b":2},{"a":1,"b":2},{"a":1,"b":2},{"a":1,"b":2}]}',
    ],
)
def test_doubtful_body_is_left_to_the_careful_reader(body: bytes) -> None:
    """Doubled fields above all, which JSON readers take for one."""
    assert quickly(body, NUMBERS) is None


@pytest.mark.parametrize("name", ["é", 'a"b', "a\\b", "a\nb"])
def test_schema_whose_names_need_escaping_is_read_carefully_only(name: str) -> None:
    """A client may write such names in several ways."""
    schema = regression([Feature(name=name, kind="number")])

    assert quickly(json.dumps({name: 1}).encode(), schema) is None


def test_no_broken_body_is_taken_for_a_right_one() -> None:
    """Hundreds of broken bodies: what is read quickly is what is read carefully."""
    for body in bodies():
        found = quickly(body, max_rows=10_000)
        if found is not None:
            assert_same(carefully(body, max_rows=10_000), found)


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    _TEXTS,
    st.sampled_from(["UA", "2", 2, "2013-01-01T05:15:00Z", "2013-01-01", 1e22, 2**70]),
)


@settings(deadline=None)  # a neighbour on the machine is no fault of ours
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(ROW, _VALUES)),
    st.integers(0, 2),
    st.booleans(),
)
def test_any_row_is_read_alike(changes: dict[str, Any], beside: int, is_ascii: bool) -> None:
    """Whatever stands in the fields, one row or several."""
    row = {**ROW, **changes}
    document = {"rows": [row] + [ROW] * (beside - 1)} if beside else row
    body = json.dumps(document, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")

    found = quickly(body)

    if found is not None:
        assert_same(carefully(body), found)


@settings(deadline=None)  # a neighbour on the machine is no fault of ours
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2))
def test_every_finite_number_is_read_to_the_last_bit(numbers: list[float]) -> None:
    """Two JSON readers round alike."""
    body = json.dumps(dict(zip("ab", numbers, strict=True))).encode()

    found = quickly(body, NUMBERS)

    assert found is not None
    assert numbers == found.values[0].tolist()
