"""How is a request of the Open Inference Protocol, version 2, read and answered?

Inputs are one tensor a feature, in any order, each ``[n]`` or ``[n, 1]``; or, where no feature is a
category, one ``[n, d]`` tensor of all features in the model's order. The outputs are ``prediction``
and, for labels, ``probabilities``. Everything that is wrong with a request is a ``RecordError`` or
a ``ContractError`` and never repeats a value.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import UNSEEN
from modelwarrant.errors import ContractError, RecordError
from modelwarrant.windows import Feature, FeatureSchema
from serving.answers import render
from serving.bounds import Bounds
from serving.checks import RefusedError, check_of, has_integer_levels
from serving.envelope import Request, flag, parse_request, tensors_of
from serving.instants import FIRST_SECOND, LAST_SECOND, seconds_of
from serving.quick_tensor import quick_tensors
from serving.rows import Rows, category_positions, mark_limit, shown_name, unseen_levels
from serving.tensors import DATATYPES, Tensor, binary_texts, flags, integers, numbers, texts

__all__ = ["Asked", "Inference"]

_PREDICTION: Final = "prediction"
_PROBABILITIES: Final = "probabilities"
_LARGE_BYTES: Final = 2048
"""Smaller bodies are read sooner by ``serving.envelope``."""
_INT64: Final = range(-(2**63), 2**63)


class Asked(msgspec.Struct, frozen=True):
    """One request, read."""

    rows: Rows
    request_id: str | None
    """What the client called it; must be checked before it is written anywhere."""
    outputs: Mapping[str, bool]
    """The outputs that are wanted, in order, and whether each is to be binary."""


class Inference:
    """Reads and answers the requests to one version.

    Args:
        schema: its columns, task and classes.
        labels: the classes in the type they had in the source.
        identity: model, version, model_digest and decision_id.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        labels: Sequence[str | int | bool],
        identity: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._bounds = Bounds(schema)
        self._position = {name: position for position, name in enumerate(schema.names)}
        self._categories = category_positions(schema)
        self._identity = identity
        self._labels = tuple(labels)
        self._label_type = _label_type(schema, labels)
        head = {"model_name": identity["model"], "model_version": str(identity["version"])}
        said = {name: identity[name] for name in ("model_digest", "decision_id")}
        self._head = render({**head, "parameters": said}).decode()[:-1]
        self._outputs = self._described_outputs()
        self._all = dict.fromkeys(self._outputs, False)
        self._booleans = _positions(schema, "boolean")
        self._times = _positions(schema, "time")

    def metadata(self) -> dict[str, Any]:
        """Return the model's metadata: every column, and what is answered."""
        return {
            "name": self._identity["model"],
            "versions": [str(self._identity["version"])],
            "platform": "onnxruntime_onnx",
            "inputs": [
                {"name": feature.name, "datatype": _input_type(feature), "shape": [-1]}
                for feature in self._schema.features
            ],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": [-1, *width]}
                for name, (datatype, width) in self._outputs.items()
            ],
        }

    def read(self, body: bytes, *, json_bytes: int | None, max_rows: int) -> Asked:
        """Read a request.

        Args:
            body: JSON, then the binary tensors.
            json_bytes: length of the JSON, of the header Inference-Header-Content-Length; None
                where all of the body is JSON.
            max_rows: more rows are refused.

        Raises:
            RecordError: it is not a request of the protocol, or not one to this model.
            ContractError: a value breaks the model's schema.
        """
        if json_bytes is not None and json_bytes > len(body):
            raise RecordError("the body is shorter than Inference-Header-Content-Length says")
        request, tensors = self._parsed(body, json_bytes, max_rows)
        values, unseen = self._rows(tensors, max_rows)
        self._bounds.check(values)
        return Asked(Rows(values, unseen, True), request.id or None, self._wanted(request))

    def _parsed(
        self, body: bytes, json_bytes: int | None, max_rows: int
    ) -> tuple[Request, list[Tensor]]:
        if json_bytes is None and len(body) >= _LARGE_BYTES:
            quickly = quick_tensors(body)
            if quickly is not None:
                return quickly
        head = body if json_bytes is None else body[:json_bytes]
        request = parse_request(head, most_marks=mark_limit(self._schema, max_rows))
        return request, tensors_of(request, b"" if json_bytes is None else body[json_bytes:])

    def answer(
        self, asked: Asked, scores: npt.NDArray[np.float64], *, request_id: str
    ) -> tuple[bytes, int | None]:
        """Return the answer's body, and the length of its JSON where binary tensors follow.

        Args:
            asked: what ``read`` returned.
            scores: (n, k) finite float64.
            request_id: needs no escaping.
        """
        described, behind = [], []
        for name, is_binary in asked.outputs.items():
            text, data = self._output(name, scores, is_binary=is_binary)
            described.append(text)
            behind.append(data)
        head = f'{self._head},"id":"{request_id}","outputs":[{",".join(described)}]}}'.encode()
        if not any(asked.outputs.values()):
            return head, None
        return b"".join((head, *behind)), len(head)

    def _described_outputs(self) -> dict[str, tuple[str, list[int]]]:
        """Return datatype and trailing shape of each output."""
        if self._schema.task == "regression":
            return {_PREDICTION: ("FP64", [])}
        width = len(self._schema.classes or ())
        return {_PREDICTION: (self._label_type, []), _PROBABILITIES: ("FP64", [width])}

    def _wanted(self, request: Request) -> Mapping[str, bool]:
        if request.outputs is None and request.parameters is None:
            return self._all
        known = self._outputs
        default = flag(request.parameters, "binary_data_output")
        if not request.outputs:
            return dict.fromkeys(known, default)
        wanted: dict[str, bool] = {}
        for output in request.outputs:
            shown = shown_name(output.name)
            if output.name not in known:
                raise RecordError(f"no output {shown!r}; the model has {', '.join(known)}")
            if output.name in wanted:
                raise RecordError(f"output {shown!r} is asked for twice")
            wanted[output.name] = flag(output.parameters, "binary_data", default)
        return wanted

    def _output(
        self, name: str, scores: npt.NDArray[np.float64], *, is_binary: bool
    ) -> tuple[str, bytes]:
        """Return one output's JSON, and its bytes where it is binary."""
        datatype, width = self._outputs[name]
        shape = f"{len(scores)},{width[0]}" if width else len(scores)
        head = f'{{"name":"{name}","datatype":"{datatype}","shape":[{shape}],'
        if name == _PREDICTION and self._labels:
            return _labelled(head, self._labels_of(scores), datatype, is_binary=is_binary)
        if not is_binary:
            values = scores[0].tolist() if len(scores) == 1 else scores.ravel().tolist()
            return f'{head}"data":{msgspec.json.encode(values).decode()}}}', b""
        data = scores.astype("<f8").tobytes()
        return f'{head}"parameters":{{"binary_data_size":{len(data)}}}}}', data

    def _labels_of(self, scores: npt.NDArray[np.float64]) -> list[Any]:
        """Return the label of each row: the first of those with the largest score."""
        if len(scores) == 1:
            row = scores[0].tolist()
            return [self._labels[row.index(max(row))]]
        return [self._labels[code] for code in np.argmax(scores, axis=1).tolist()]

    def _rows(self, tensors: Sequence[Tensor], max_rows: int) -> tuple[npt.NDArray[Any], Any]:
        if not tensors:
            raise RecordError("the request has no inputs")
        first = tensors[0]
        n_rows = first.shape[0] if first.shape else 0
        if n_rows < 1:
            raise first.refused("holds no row; the first number of its shape counts rows")
        if n_rows > max_rows:
            raise first.refused(f"holds more than {max_rows:,} rows")
        n_columns = len(self._position)
        is_matrix = len(tensors) == 1 and len(first.shape) == 2
        if is_matrix and (first.shape[1] != 1 or first.name not in self._position):
            return self._matrix(first, n_rows, n_columns), {}
        return self._columns(tensors, n_rows)

    def _matrix(self, tensor: Tensor, n_rows: int, n_columns: int) -> npt.NDArray[np.float64]:
        if self._categories:
            name = self._schema.names[self._categories[0]]
            raise tensor.refused(f"cannot hold all columns: {name!r} is text; send one a column")
        if tensor.shape[1] != n_columns:
            raise tensor.refused(
                f"has {tensor.shape[1]} columns; the model reads {n_columns}: "
                f"{', '.join(self._schema.names[:50])}"
            )
        values = numbers(tensor).reshape(n_rows, n_columns)
        for position in self._booleans:
            column = values[:, position]
            if not ((column == 0.0) | (column == 1.0) | np.isnan(column)).all():
                name = self._schema.names[position]
                raise ContractError(f"column {name!r} holds what is neither 0 nor 1")
        for position in self._times:
            _check_times(values[:, position], self._schema.names[position])
        return values

    def _columns(
        self, tensors: Sequence[Tensor], n_rows: int
    ) -> tuple[npt.NDArray[np.float64], Any]:
        values = np.empty((n_rows, len(self._position)))
        levels: dict[int, list[str]] = {}
        given: set[str] = set()
        for tensor in tensors:
            position = self._position.get(tensor.name)
            if position is None:
                raise RecordError(f"input {shown_name(tensor.name)!r} is no column of this model")
            if tensor.name in given:
                raise RecordError(f"input {tensor.name!r} stands more than once")
            given.add(tensor.name)
            if list(tensor.shape) not in ([n_rows], [n_rows, 1]):
                raise tensor.refused(f"must have the shape [{n_rows}], as the first input")
            feature = self._schema.features[position]
            values[:, position] = _encoded(tensor, feature, levels, position)
        absent = [name for name in self._position if name not in given]
        if absent:
            raise RecordError(f"input {absent[0]!r} is absent; the model reads every column")
        return values, unseen_levels(values, levels)


def _positions(schema: FeatureSchema, kind: str) -> list[int]:
    return [position for position, one in enumerate(schema.features) if one.kind == kind]


def _encoded(
    tensor: Tensor, feature: Feature, levels: dict[int, list[str]], position: int
) -> npt.NDArray[np.float64] | list[float]:
    """Return one column as the model reads it; a category's texts are added to ``levels``."""
    if feature.kind == "number":
        return numbers(tensor)
    if feature.kind == "boolean":
        return flags(tensor)
    if feature.kind == "time":
        if tensor.datatype not in DATATYPES:
            return _times(tensor, feature)
        found = numbers(tensor)
        _check_times(found, feature.name)
        return found
    kind = DATATYPES.get(tensor.datatype)
    if has_integer_levels(feature) and kind is not None and kind.kind in "iu":
        given = [None if value is None else str(value) for value in integers(tensor)]
    else:
        given = texts(tensor)
    code = {level: float(number) for number, level in enumerate(feature.categories or ())}
    levels[position] = [one or "" for one in given]
    return [np.nan if one is None else code.get(one, UNSEEN) for one in given]


def _check_times(seconds: npt.NDArray[np.float64], name: str) -> None:
    """Refuse what no calendar holds: a monitor that reads the log would break on it."""
    if ((seconds < FIRST_SECOND) | (seconds >= LAST_SECOND)).any():  # False for NaN
        raise ContractError(f"column {name!r} holds a time outside the years 1 to 9999")


def _times(tensor: Tensor, feature: Feature) -> list[float]:
    read = check_of(feature)
    try:
        return [seconds_of(read(one)) for one in texts(tensor)]
    except RefusedError as error:
        raise ContractError(f"tensor {tensor.name!r}: a value {error}") from error


def _input_type(feature: Feature) -> str:
    return {"number": "FP64", "boolean": "BOOL", "category": "BYTES", "time": "BYTES"}[feature.kind]


def _label_type(schema: FeatureSchema, labels: Sequence[str | int | bool]) -> str:
    if schema.class_kind == "boolean":
        return "BOOL"
    is_whole = schema.class_kind == "integer" and all(int(label) in _INT64 for label in labels)
    return "INT64" if is_whole else "BYTES"


def _labelled(head: str, labels: list[Any], datatype: str, *, is_binary: bool) -> tuple[str, bytes]:
    """Return predicted labels as JSON, and as bytes where they are to be binary."""
    if datatype == "BYTES":
        labels = [str(label) for label in labels]
    if not is_binary:
        return f'{head}"data":{msgspec.json.encode(labels).decode()}}}', b""
    if datatype == "BYTES":
        data = binary_texts(labels)
    else:
        data = np.array(labels, dtype="<i8" if datatype == "INT64" else np.uint8).tobytes()
    return f'{head}"parameters":{{"binary_data_size":{len(data)}}}}}', data
