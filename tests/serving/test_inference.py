"""The Open Inference Protocol is answered, or refused without a word of what was sent."""

import asyncio
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from modelwarrant.windows import Feature
from serving.app import create_app
from serving.settings import Settings
from serving.tensors import DATATYPES
from tests.serving.broken import SECRET
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model, late_model, linear_model, regression

INFER = "/v2/models/flights/infer"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store whose model answers distance / 8 + 1."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model(bias=1))
    return place


@pytest.fixture
def numeric(tmp_path: Path) -> Place:
    """A store whose model reads three numbers and a boolean and answers a + 2 b + 4 c + 8 d."""
    features = [Feature(name=name, kind="number", missing=name == "c") for name in "abc"]
    schema = regression([*features, Feature(name="d", kind="boolean")])
    weights = {"a": [1.0], "b": [2.0], "c": [4.0], "d": [8.0]}
    place = Place(tmp_path / "store")
    place.promote((schema, linear_model(schema, weights=weights, bias=[0.0])))
    return place


def ask(
    place: Place, method: str, path: str, content: bytes | None = None, headers: Any = None
) -> httpx.Response:
    """Return the answer to one request."""
    follower = place.follower()
    follower.look()
    app = create_app(follower, Settings(model=place.model, max_rows=5))

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.request(method, path, content=content, headers=headers)

    return asyncio.run(send())


def infer(place: Place, document: Any, path: str = INFER) -> httpx.Response:
    """Return the answer to an inference request in JSON."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(place, "POST", path, content, {"Content-Type": "application/json"})


def infer_binary(place: Place, document: Any, *tensors: bytes) -> httpx.Response:
    """Return the answer to an inference request with tensors behind the JSON."""
    head = json.dumps(document).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    headers["Content-Type"] = "application/octet-stream"
    return ask(place, "POST", INFER, head + b"".join(tensors), headers)


def columns(**changed: Any) -> list[dict[str, Any]]:
    """Return the six inputs of ``ROW`` for two rows, some of them changed."""
    kinds = {"distance": "FP64", "wind": "FP64", "carrier": "BYTES", "month": "INT64"}
    kinds |= {"night": "BOOL", "departure": "BYTES"}
    made = {
        name: {"name": name, "shape": [2], "datatype": kinds[name], "data": [value, value]}
        for name, value in ROW.items()
    }
    return [one | changed.get(name, {}) for name, one in made.items()]


def matrix(*rows: list[Any], **changed: Any) -> dict[str, Any]:
    """Return a request with one tensor of all columns."""
    shape = [len(rows), len(rows[0])]
    return {
        "inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": [*rows]} | changed]
    }


def test_named_tensors_are_answered_with_their_warrant(place: Place) -> None:
    """Prediction, version, digest and decision."""
    answer = infer(place, {"id": "order-17", "inputs": columns()})

    assert {
        "model_name": "flights",
        "model_version": str(place.production.number),
        "id": "order-17",
        "parameters": {
            "model_digest": place.production.digest,
            "decision_id": place.decision.decision_digest,
        },
        "outputs": [{"name": "prediction", "datatype": "FP64", "shape": [2], "data": [63.5, 63.5]}],
    } == answer.json()


def test_order_of_the_tensors_does_not_matter(place: Place) -> None:
    """Columns are found by name: other servers answer wrongly here."""
    inputs = columns(distance={"data": [0.0, 800.0]})

    found = [infer(place, {"inputs": given}).json()["outputs"] for given in (inputs, inputs[::-1])]

    assert found[0] == found[1]
    assert [1.0, 101.0] == found[0][0]["data"]


@pytest.mark.parametrize("nested", [False, True])
def test_one_tensor_of_all_columns_is_read_row_by_row(numeric: Place, nested: bool) -> None:
    """Data may stand flat or nested."""
    rows = [[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, None, 0.0]]
    data = rows if nested else [value for row in rows for value in row]

    answer = infer(numeric, matrix(*rows, data=data))

    assert [15.0, 1.0] == answer.json()["outputs"][0]["data"]


def test_labels_and_probabilities_are_two_outputs(tmp_path: Path) -> None:
    """Labels have the type they had in the data."""
    place = Place(tmp_path / "store")
    place.promote(late_model())

    outputs = infer(place, {"inputs": columns()}).json()["outputs"]

    assert ["INT64", "FP64"] == [one["datatype"] for one in outputs]
    assert [0, 0] == outputs[0]["data"]
    assert pytest.approx([0.75, 0.25] * 2) == outputs[1]["data"]


@pytest.mark.parametrize(
    ("classes", "class_kind", "datatype", "data"),
    [
        (("0", "1"), "integer", "INT64", struct.pack("<q", 1)),
        (("false", "true"), "boolean", "BOOL", b"\x01"),
        (("no", "yes"), "text", "BYTES", b"\x03\x00\x00\x00yes"),
    ],
)
def test_labels_can_be_binary(
    tmp_path: Path, classes: tuple[str, ...], class_kind: str, datatype: str, data: bytes
) -> None:
    """As the client asked for this output."""
    place = Place(tmp_path / "store")
    place.promote(late_model(late=0.9, classes=classes, class_kind=class_kind))
    inputs = [one | {"shape": [1], "data": one["data"][:1]} for one in columns()]
    wanted = [{"name": "prediction", "parameters": {"binary_data": True}}]

    answer = infer(place, {"inputs": inputs, "outputs": wanted})

    length = int(answer.headers["Inference-Header-Content-Length"])
    [output] = json.loads(answer.content[:length])["outputs"]
    assert (datatype, {"binary_data_size": len(data)}) == (output["datatype"], output["parameters"])
    assert data == answer.content[length:]


@pytest.mark.parametrize("dtype", ["<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "|u1"])
def test_binary_matrix_equals_the_same_numbers_in_json(numeric: Place, dtype: str) -> None:
    """Every numeric datatype, little-endian."""
    values = np.array([[1, 2, 3, 1], [4, 5, 6, 0]], dtype=dtype)
    kind = np.dtype(dtype)
    name = {"f": "FP", "i": "INT", "u": "UINT"}[kind.kind] + str(kind.itemsize * 8)
    size = {"binary_data_size": values.nbytes}
    tensor = {"name": "x", "shape": [2, 4], "datatype": name, "parameters": size}
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}}

    answer = infer_binary(numeric, document, values.tobytes())

    length = int(answer.headers["Inference-Header-Content-Length"])
    assert [25.0, 38.0] == np.frombuffer(answer.content[length:], "<f8").tolist()


def test_binary_columns_of_text_and_truth_are_read(place: Place) -> None:
    """Texts stand after their lengths."""
    inputs, tensors = [], []
    texts = struct.pack("<I", 2) + b"UA" + struct.pack("<I", 4) + "ÉG".encode() + b"!"
    for one in columns():
        data = {"carrier": texts, "night": b"\x01\x00"}.get(one["name"])
        if data is not None:
            one = {**one, "parameters": {"binary_data_size": len(data)}}
            del one["data"]
            tensors.append(data)
        inputs.append(one)

    answer = infer_binary(place, {"inputs": inputs}, *tensors)

    assert [63.5, 63.5] == answer.json()["outputs"][0]["data"]


def _change(document: Any, **changed: Any) -> Any:
    return {"inputs": [document["inputs"][0] | changed]}


GOOD = matrix([1.0, 2.0, 3.0, 1.0])
MATRIX_FAULTS: list[Any] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b'{"inputs": []}',
    b'{"inputs": {}}',
    b'{"inputs": [{}]}',
    b'{"inputs": [{"name": 9119119}]}',
    b"[" * 100_000,
    b'{"inputs":' + b"[" * 100_000,
    {"inputs": GOOD["inputs"] * 2},
    {"inputs": GOOD["inputs"], "outputs": [{"name": SECRET + "x" * 0}]}
    | {"outputs": [{"name": "no"}]},
    {"inputs": GOOD["inputs"], "outputs": [{"name": "prediction"}] * 2},
    {"inputs": GOOD["inputs"], "parameters": {"binary_data_output": 9119119}},
    {"inputs": GOOD["inputs"], "id": "a b"},
    {"inputs": GOOD["inputs"], "id": "x" * 129},
    _change(GOOD, shape=[]),
    _change(GOOD, shape=[4]),
    _change(GOOD, shape=[0, 4], data=[]),
    _change(GOOD, shape=[-1, -4]),
    _change(GOOD, shape=[2, 2]),
    _change(GOOD, shape=[1, 3], data=[1, 2, 3]),
    _change(GOOD, shape=[1, 4, 1]),
    _change(GOOD, shape=[1, 4.5]),
    _change(GOOD, shape=[10**30, 4]),
    _change(GOOD, shape=[6, 4], data=[1.0] * 24),
    _change(GOOD, datatype="BYTES", data=["9119119"] * 4),
    _change(GOOD, datatype="BOOL", data=[True] * 4),
    _change(GOOD, datatype="FP99"),
    _change(GOOD, datatype="INT64", data=[1.5] * 4),
    _change(GOOD, datatype="INT8", data=[9119119] * 4),
    _change(GOOD, datatype="UINT8", data=[-1] * 4),
    _change(GOOD, data=[1, 2, 3]),
    _change(GOOD, data=[1, 2, 3, 4, 5]),
    _change(GOOD, data=[[1, 2], [3, 1]]),
    _change(GOOD, data=[[[1, 2, 3, 1]]]),
    _change(GOOD, data="9119119"),
    _change(GOOD, data=["9119119"] * 4),
    _change(GOOD, data=[1, None, 3, 1]),
    _change(GOOD, data=[1, 2, 3, 0.5]),
    _change(GOOD, data=[1, 2, 3, 9119119]),
    _change(GOOD, data=[1, True, 3, 1]),
    json.dumps(GOOD).replace("2.0", "1e999").encode(),
    json.dumps(GOOD).replace("2.0", "NaN").encode(),
    json.dumps(GOOD).replace("2.0", "9" * 400).encode(),
    json.dumps(GOOD).replace('"data"', '"data": [9, 9, 9, 1], "data"').encode(),
    json.dumps(GOOD).replace('"inputs"', '"inputs": [], "inputs"').encode(),
    json.dumps(GOOD).replace('"data"', '"\\u0064ata": [9, 9, 9, 1], "data"').encode(),
    {"inputs": [{key: value for key, value in GOOD["inputs"][0].items() if key != "data"}]},
    _change(GOOD, parameters={"binary_data_size": 32}),
]


@pytest.mark.parametrize("number", range(len(MATRIX_FAULTS)))
def test_faulty_matrix_is_400_and_not_echoed(numeric: Place, number: int) -> None:
    """Wrong shapes, types, counts, numbers and doubled members."""
    answer = infer(numeric, MATRIX_FAULTS[number])

    assert 400 == answer.status_code, answer.text
    assert ["error"] == list(answer.json())
    assert SECRET not in answer.text


COLUMN_FAULTS: list[Callable[[], list[dict[str, Any]]]] = [
    lambda: columns()[1:],
    lambda: columns() + columns()[:1],
    lambda: columns(distance={"name": "wind"}),
    lambda: columns(distance={"name": "Distance"}),
    lambda: columns(distance={"shape": [3], "data": [1, 2, 3]}),
    lambda: columns(wind={"shape": [1, 2]}),
    lambda: columns(distance={"data": [1, 9119119]}),
    lambda: columns(distance={"data": [1, None]}),
    lambda: columns(carrier={"data": ["UA", None]}),
    lambda: columns(carrier={"data": ["UA", 3]}),
    lambda: columns(carrier={"datatype": "FP64", "data": [1, 2]}),
    lambda: columns(night={"data": [True, 1]}),
    lambda: columns(night={"datatype": "FP64", "data": [1, 0]}),
    lambda: columns(departure={"data": ["9119119", "tomorrow"]}),
    lambda: columns(departure={"datatype": "FP64", "data": [0, 1e300]}),
    lambda: columns(departure={"datatype": "INT64", "data": [0, 253402300800]}),
    lambda: columns(departure={"data": ["2013-01-01", "0001-01-01T00:00:00+01:00"]}),
    lambda: columns(month={"datatype": "FP64", "data": [1.5, 2.5]}),
    lambda: columns(month={"datatype": "INT7"}),
    lambda: columns(month={"datatype": "INT8", "data": [1, 9119119]}),
    lambda: [{"name": "x", "shape": [1, 6], "datatype": "FP64", "data": [1, 2, 0, 1, 1, 5]}],
]


@pytest.mark.parametrize("number", range(len(COLUMN_FAULTS)))
def test_faulty_columns_are_400_and_not_echoed(place: Place, number: int) -> None:
    """Wrong, missing and double names; values that the schema does not allow."""
    answer = infer(place, {"inputs": COLUMN_FAULTS[number]()})

    assert 400 == answer.status_code, answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize(
    ("datatype", "level"),
    [("INT64", 2**53 + 1), ("INT64", -(2**53) - 1), ("UINT64", 2**64 - 1), ("INT8", -3)],
)
def test_whole_numbers_name_their_level_exactly(
    tmp_path: Path, datatype: str, level: int, is_binary: bool
) -> None:
    """Beyond 2^53 a float would name a neighbour, and the answer would be another level's."""
    levels = tuple(str(one) for one in (level - 1, level, level + 1))
    schema = regression([Feature(name="id", kind="category", categories=levels)])
    place = Place(tmp_path / "store")
    place.promote((schema, linear_model(schema, weights={"id": [1.0]}, bias=[0.0])))
    tensor: dict[str, Any] = {"name": "id", "shape": [1], "datatype": datatype}
    data = np.array([level], dtype=DATATYPES[datatype]).tobytes()

    if is_binary:
        parameters = {"binary_data_size": len(data)}
        answer = infer_binary(place, {"inputs": [{**tensor, "parameters": parameters}]}, data)
    else:
        answer = infer(place, {"inputs": [{**tensor, "data": [level]}]})

    assert [1.0] == answer.json()["outputs"][0]["data"]


def test_matrix_with_a_time_that_no_calendar_holds_is_400(tmp_path: Path) -> None:
    """As in a column of its own."""
    schema = regression([Feature(name="t", kind="time"), Feature(name="x", kind="number")])
    place = Place(tmp_path / "store")
    place.promote((schema, linear_model(schema, weights={}, bias=[0.0])))

    assert 200 == infer(place, matrix([-62135596800.0, 0.0])).status_code
    answer = infer(place, matrix([-62135596801.0, 0.0]))

    assert 400 == answer.status_code
    assert "column 't'" in answer.json()["error"]


@pytest.mark.parametrize(
    ("size", "tensors"),
    [
        (31, [b"\0" * 31]),
        (32, [b"\0" * 31]),
        (32, [b"\0" * 33]),
        (32, []),
        (-1, [b"\0" * 32]),
        (True, [b"\0"]),
        ("32", [b"\0" * 32]),
        (32, [np.array([1, np.inf, 3, 1]).tobytes()]),
        (32, [np.array([1, np.nan, 3, 1]).tobytes()]),
        (32, [np.array([1, 2, 3, 0.5]).tobytes()]),
    ],
)
def test_faulty_bytes_are_400(numeric: Place, size: Any, tensors: list[bytes]) -> None:
    """Truncated, left over, or numbers that the schema does not allow."""
    parameters = {"binary_data_size": size}
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP64", "parameters": parameters}

    assert 400 == infer_binary(numeric, {"inputs": [tensor]}, *tensors).status_code


@pytest.mark.parametrize(
    "data",
    [b"", b"\x05", b"\x05\x00\x00\x00UA", b"\x01\x00\x00\x00\xff\x01\x00\x00\x00a", b"\xff" * 8],
)
def test_faulty_binary_texts_are_400(place: Place, data: bytes) -> None:
    """Lengths beyond the end and bytes that are no UTF-8."""
    inputs = columns()
    del inputs[2]["data"]
    inputs[2]["parameters"] = {"binary_data_size": len(data)}

    assert 400 == infer_binary(place, {"inputs": inputs}, data).status_code


@pytest.mark.parametrize("length", ["-1", "x", "", "9" * 30, "100000"])
def test_faulty_length_of_the_json_is_400(numeric: Place, length: str) -> None:
    """The header must be a number of bytes of this body."""
    headers = {"Inference-Header-Content-Length": length, "Content-Type": "application/json"}

    assert 400 == ask(numeric, "POST", INFER, json.dumps(GOOD).encode(), headers).status_code


def test_health_server_and_model_answer_in_json(place: Place) -> None:
    """KServe's client reads bodies of the health paths."""
    version = place.production.number
    paths = ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/flights/ready"]
    paths += [f"/v2/models/flights/versions/{version}/ready"]

    answers = [ask(place, "GET", path) for path in paths]

    assert [200] * 5 == [answer.status_code for answer in answers]
    assert ["binary_tensor_data"] == answers[0].json()["extensions"]
    assert {"name": "flights", "ready": True} == answers[3].json()


def test_metadata_lists_every_column(place: Place) -> None:
    """With the datatype that the JSON form takes."""
    metadata = ask(place, "GET", "/v2/models/flights").json()

    assert list(ROW) == [one["name"] for one in metadata["inputs"]]
    assert ["FP64", "FP64", "BYTES", "BYTES", "BOOL", "BYTES"] == [
        one["datatype"] for one in metadata["inputs"]
    ]
    assert [str(place.production.number)] == metadata["versions"]


def test_version_in_the_path_must_be_the_one_served(place: Place) -> None:
    """Another version is 404, whatever was registered."""
    served = place.production.number

    found = [
        infer(place, {"inputs": columns()}, f"/v2/models/flights/versions/{version}/infer")
        for version in (served, served + 1, "x")
    ]

    assert [200, 404, 404] == [answer.status_code for answer in found]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/other", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", INFER, 405),
        ("POST", "/v2", 405),
        ("GET", "/v2/models/flights/nothing", 404),
        ("GET", "/v2/models/flights/versions", 404),
        ("GET", "/v2/models/flights/versions//ready", 404),
    ],
)
def test_other_paths_are_refused_in_the_same_form(
    place: Place, method: str, path: str, status: int
) -> None:
    """An unknown model, a wrong method."""
    answer = ask(place, method, path)

    assert status == answer.status_code
    assert "error" in answer.json()


def test_example_in_the_openapi_document_is_answered(place: Place) -> None:
    """Both forms of the path describe the same request."""
    paths = ask(place, "GET", "/openapi.json").json()["paths"]
    bodies = [
        described["post"]["requestBody"]["content"]["application/json"]["example"]
        for path, described in paths.items()
        if path.endswith("/infer")
    ]

    assert 2 == len(bodies)
    assert 200 == infer(place, bodies[0]).status_code
