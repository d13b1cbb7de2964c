"""What is read quickly is what is read carefully; all else is left to the careful reader."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import RecordError
from modelwarrant.windows import Feature
from serving.envelope import Request, parse_request, tensors_of
from serving.inference import Inference
from serving.quick_tensor import MOST_BYTES, quick_tensors
from serving.tensors import Tensor, numbers
from tests.serving.tiny import regression


def body(values: list[Any], *, shape: list[Any] | None = None, **more: Any) -> bytes:
    """Return a request of one tensor; ``more`` replaces and adds members of it."""
    tensor = {"name": "rows", "shape": shape or [1, len(values)], "datatype": "FP64"}
    return json.dumps({"inputs": [{**tensor, "data": values, **more}]}).encode()


def carefully(data: bytes) -> tuple[Request, list[Tensor]]:
    """Read as requests of any form are read."""
    request = parse_request(data, most_marks=10**6)
    return request, tensors_of(request, b"")


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**64 - 1)
)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_numbers_are_the_same_to_the_last_bit(values: list[float]) -> None:
    """Whole or not, of any size."""
    data = body(values)
    found = quick_tensors(data)

    assert found is not None
    [quick], [careful] = found[1], carefully(data)[1]
    assert numbers(careful).tobytes() == numbers(quick).tobytes()
    assert (careful.name, careful.shape) == (quick.name, quick.shape)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, 200),
    st.sampled_from(
        [b"", b"1", b",", b"[", b"]", b"{", b'"', b":", b"null", b"-", b"e9", b"\\", b" "]
    ),
    st.integers(0, 3),
)
def test_damaged_bodies_are_never_read_otherwise(place: int, piece: bytes, gone: int) -> None:
    """Bytes put in or taken out anywhere: what is accepted is accepted carefully, and equal."""
    whole = json.dumps(
        {
            "id": "a",
            "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 2.5, -3, 4]}],
            "outputs": [{"name": "prediction", "parameters": {"binary_data": False}}],
        }
    ).encode()
    data = whole[:place] + piece + whole[place + gone :]
    found = quick_tensors(data)
    if found is None:
        return

    request, [careful] = carefully(data)
    [quick] = found[1]
    assert (request.id, request.outputs) == (found[0].id, found[0].outputs)
    assert (careful.name, careful.shape) == (quick.name, quick.shape)
    values = np.frombuffer(quick.binary or b"", dtype=np.float64)
    assert json.loads(careful.data or b"") == values.tolist()


@pytest.mark.parametrize(
    "data",
    [
        body([1.0, None]),
        body([True]),
        body(["1"]),
        body([[1.0], [2.0]], shape=[2, 1]),
        body([1.0], datatype="FP32"),
        body([1.0], datatype="INT64"),
        body([1.0], shape=[1, -1]),
        body([1.0], shape=[1, True]),
        body([1.0], parameters={"binary_data_size": 8}),
        body([1.0], name="a\\b"),
        body([10**30]),
        body([1.0]).replace(b"1.0", b"1e999"),
        body([1.0]).replace(b"1.0", b"NaN"),
        body([1.0]).replace(b'"name"', b'"data": [2.0], "name"'),
        body([1.0]) + b" 1",
        b"\xef\xbb\xbf" + body([1.0]),
        b"[]",
        b"{}",
        b"",
        b'{"inputs": []}',
        b'{"inputs": 1}',
        body([0.0] * MOST_BYTES),
    ],
)
def test_all_else_is_left_to_the_careful_reader(data: bytes) -> None:
    """Missing values, other types, nesting, doubled names, numbers beyond a double, no JSON."""
    assert quick_tensors(data) is None


def test_parser_is_free_again_after_every_body() -> None:
    """Also after one that it could not read."""
    for data in (body([1.0, None]), b"{", body([1.0]), body([2.0])):
        quick_tensors(data)

    assert quick_tensors(body([3.0])) is not None


def test_large_request_is_read_quickly_and_small_faults_are_still_named() -> None:
    """A wrong number of values is refused in the same words, however the body was read."""
    schema = regression([Feature(name=f"f{number}", kind="number") for number in range(3)])
    identity = {"model": "m", "version": 1, "model_digest": "d", "decision_id": "e"}
    inference = Inference(schema, (), identity)
    values = [float(number) for number in range(999)]

    asked = inference.read(body(values, shape=[333, 3]), json_bytes=None, max_rows=1000)
    assert values == asked.rows.values.ravel().tolist()

    with pytest.raises(RecordError, match="tensor 'rows' has another number of"):
        inference.read(body(values[:-1], shape=[333, 3]), json_bytes=None, max_rows=1000)
