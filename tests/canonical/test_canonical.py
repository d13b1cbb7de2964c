"""One value has one byte string, and text that is no plain JSON is refused."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.canonical import canonical_json, digest_bytes, digest_json, parse_json
from modelwarrant.errors import RecordError

SAFE_INTEGERS = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | SAFE_INTEGERS
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_survives_its_bytes(value: object) -> None:
    """Reading the canonical bytes gives an equal value."""
    assert value == parse_json(canonical_json(value), name="a value")


@given(VALUES)
def test_canonical_bytes_are_a_fixed_point(value: object) -> None:
    """Bytes that are written, read and written again are the same bytes."""
    data = canonical_json(value)

    assert data == canonical_json(parse_json(data, name="a value"))


@given(VALUES)
def test_the_fast_way_writes_the_same_bytes(value: object) -> None:
    """Values without floats take a faster encoder; its bytes are those of RFC 8785."""
    assert rfc8785.dumps(value) == canonical_json(value)  # type: ignore[arg-type] # JSON values


@given(st.dictionaries(TEXTS, SAFE_INTEGERS, max_size=6))
def test_key_order_changes_nothing(value: dict[str, int]) -> None:
    """The order in which keys were set is not part of a digest."""
    assert digest_json(value) == digest_json(dict(reversed(value.items())))


def test_numbers_are_written_as_ecmascript_does() -> None:
    """The RFC's own examples of numbers."""
    numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, -0.0]

    assert canonical_json(numbers) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0]"


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), [float("-inf")], 2**53 + 1, "\ud800", {"\ud800": 1}],
    ids=repr,
)
def test_a_value_without_canonical_bytes_is_refused(value: object) -> None:
    """Non-finite floats, unsafe integers and half surrogates have no canonical JSON."""
    with pytest.raises(RecordError, match="no canonical JSON"):
        canonical_json(value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":1,"a":2}', "the key 'a' stands twice"),
        (b'{"o":{"k":1,"k":1}}', "the key 'k' stands twice"),
        (b"NaN", "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"9007199254740993", "9007199254740993 is not exact in float64"),
        (b"1e999", "1e999 is not a JSON number"),
        (b'{"a":"\\uD83D"}', "half of a surrogate pair"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "1111 is not a JSON number"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_text_that_is_no_plain_json_is_refused(data: bytes, message: str) -> None:
    """The error names what was read and why it is refused."""
    with pytest.raises(RecordError, match=message) as caught:
        parse_json(data, name="policy.json")

    assert str(caught.value).startswith("policy.json: ")


def test_a_whole_surrogate_pair_is_one_character() -> None:
    """Escaped pairs are read as the character they spell."""
    assert parse_json(b'"\\ud83d\\ude00"', name="a value") == "\N{GRINNING FACE}"


@given(st.binary(max_size=40))
def test_no_bytes_make_the_parser_raise_anything_else(data: bytes) -> None:
    """Whatever lies in a file, the answer is a value with canonical bytes, or a RecordError."""
    try:
        value = parse_json(data, name="noise")
    except RecordError:
        return

    assert value == parse_json(canonical_json(value), name="a value")


def test_a_digest_names_its_algorithm() -> None:
    """SHA-256 of nothing, a published constant."""
    assert (
        digest_bytes(b"")
        == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
