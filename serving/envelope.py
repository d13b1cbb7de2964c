"""Is a body a request of the Open Inference Protocol at all, and which tensors does it bring?"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from modelwarrant.errors import RecordError
from serving.rows import parse_body, shown_name
from serving.tensors import Tensor

__all__ = ["Input", "Output", "Request", "flag", "names_in", "parse_request", "tensors_of"]


class Input(msgspec.Struct):
    """One input tensor."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Output(msgspec.Struct):
    """One output that is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Request(msgspec.Struct):
    """The JSON of a request."""

    inputs: list[Input]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Output] | None = None


_DECODER: Final = msgspec.json.Decoder(Request)


def parse_request(data: bytes, *, most_marks: int) -> Request:
    """Return the JSON of a request; for ``most_marks`` see ``serving.rows.parse_body``.

    Raises:
        RecordError: it is none; the message tells where, not what.
    """
    try:
        request = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        raise RecordError(f"not a request of the Open Inference Protocol: {error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordError("the body is not JSON in UTF-8") from error
    except RecursionError as error:
        raise RecordError("the body is nested too deeply") from error
    if b"\\" in data or data.count(b":") != names_in(request):
        _refuse_doubled(parse_body(data, most_marks=most_marks))
    return request


def names_in(request: Request) -> int:
    """Return the names that the request's JSON holds, were each there once and texts plain."""
    count = sum(
        1 + len(value) if isinstance(value, dict) else 1
        for value in (request.id, request.parameters, request.outputs)
        if value is not None
    )
    for one in request.inputs:
        count += 3 + (one.data is not msgspec.UNSET)
        count += 0 if one.parameters is None else 1 + len(one.parameters)
    for output in request.outputs or ():
        count += 1 if output.parameters is None else 2 + len(output.parameters)
    return count + 1


def _refuse_doubled(document: Any) -> None:
    """Refuse JSON in which an object names a member twice: readers disagree which one counts."""
    todo = [document]
    while todo:
        one = todo.pop()
        doubled = getattr(one, "names", ())
        if doubled:
            raise RecordError(f"{shown_name(doubled[0])!r} stands more than once in an object")
        if isinstance(one, dict):
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def tensors_of(request: Request, behind: bytes) -> list[Tensor]:
    """Return the inputs; the binary ones take their bytes from behind the JSON, in order.

    Raises:
        RecordError: sizes do not fit the bytes.
    """
    tensors, rest = [], memoryview(behind)
    for one in request.inputs:
        name = shown_name(one.name)
        if any(size < 0 for size in one.shape):
            raise RecordError(f"tensor {name!r} has a negative number in its shape")
        size = (one.parameters or {}).get("binary_data_size")
        if size is None:
            data = None if one.data is msgspec.UNSET else bytes(one.data)
            tensors.append(Tensor(one.name, one.shape, one.datatype, data, None))
            continue
        if one.data is not msgspec.UNSET:
            raise RecordError(f"tensor {name!r} has both data and a binary_data_size")
        if type(size) is not int or not 0 <= size <= len(rest):
            raise RecordError(f"tensor {name!r} has fewer bytes than its binary_data_size says")
        tensors.append(Tensor(one.name, one.shape, one.datatype, None, rest[:size]))
        rest = rest[size:]
    if rest:
        raise RecordError("bytes are left over behind the last binary tensor")
    return tensors


def flag(parameters: Mapping[str, Any] | None, name: str, default: bool = False) -> bool:
    """Return a parameter that is true or false.

    Raises:
        RecordError: it is something else.
    """
    value = (parameters or {}).get(name, default)
    if not isinstance(value, bool):
        raise RecordError(f"the parameter {name!r} must be true or false")
    return value
