"""How are the paths of the Open Inference Protocol described to a program?"""

from typing import Any

from serving.checks import example_row
from serving.served import Served
from serving.tensors import DATATYPES

__all__ = ["inference_paths", "inference_schemas"]

_TEXT: dict[str, Any] = {"type": "string"}
_SHAPE: dict[str, Any] = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0},
    "minItems": 1,
    "maxItems": 2,
}
_PARAMETERS: dict[str, Any] = {"type": ["object", "null"]}


def inference_paths(served: Served) -> dict[str, Any]:
    """Return the paths below ``/v2`` for the model that is served now."""
    model = f"/v2/models/{served.model}"
    version = f"{model}/versions/{served.version}"
    states = {
        "/v2": _get("What this server is", "Server"),
        "/v2/health/live": _get("Whether the process answers", "Liveness"),
        "/v2/health/ready": _get("Whether a model is loaded", "Readiness", "503"),
    }
    for path in (model, version):
        states[path] = _get("The model's columns and outputs", "ModelMetadata", "503")
        states[f"{path}/ready"] = _get("Whether the model is served", "ModelReadiness", "503")
    return states | {f"{path}/infer": {"post": _infer(served)} for path in (model, version)}


def inference_schemas(served: Served) -> dict[str, Any]:
    """Return the schemas that ``inference_paths`` refers to, for the model that is served now."""
    kinds = {"type": "string", "enum": [*DATATYPES, "BOOL", "BYTES"]}
    tensor = {"name": _TEXT, "datatype": kinds, "shape": _SHAPE, "parameters": _PARAMETERS}
    data = {"type": "array", "items": {"type": ["number", "string", "boolean", "null", "array"]}}
    named = {"type": "array", "items": _object({"name": _TEXT, "datatype": _TEXT, "shape": {}})}
    outputs = [one["name"] for one in served.inference.metadata()["outputs"]]
    output = _object(
        {"name": {"enum": outputs}, "parameters": _PARAMETERS}, optional=("parameters",)
    )
    identity = {"model_digest": _TEXT, "decision_id": _TEXT}
    one = _object({**tensor, "data": data}, optional=("parameters", "data"))
    return {
        "Server": _object(
            {"name": _TEXT, "version": _TEXT, "extensions": {"type": "array", "items": _TEXT}}
        ),
        "ModelReadiness": _object({"name": _TEXT, "ready": {"type": "boolean"}}),
        "ModelMetadata": _object(
            {
                "name": _TEXT,
                "versions": {"type": "array", "items": _TEXT},
                "platform": _TEXT,
                "inputs": named,
                "outputs": named,
            }
        ),
        "InferenceRequest": _object(
            {
                "id": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9._:-]{0,128}$"},
                "inputs": {"type": "array", "items": one, "minItems": 1},
                "outputs": {"type": ["array", "null"], "items": output, "maxItems": len(outputs)},
                "parameters": _PARAMETERS,
            },
            optional=("id", "outputs", "parameters"),
        ),
        "InferenceResponse": _object(
            {
                "model_name": _TEXT,
                "model_version": _TEXT,
                "id": _TEXT,
                "parameters": _object(identity),
                "outputs": {"type": "array", "items": one},
            }
        ),
        "InferenceError": _object({"error": _TEXT}),
    }


def _infer(served: Served) -> dict[str, Any]:
    failures = {
        "400": "No request of the protocol, or not one to this model: names, types, values",
        "408": "The body did not arrive in time",
        "413": "The body is too large",
        "415": "The body is not declared as JSON, or is compressed",
        "503": "No model is loaded, or too many large requests wait; see Retry-After",
    }
    request = _content("InferenceRequest")
    request["content"]["application/json"]["example"] = _example(served)
    return {
        "summary": "Answer tensors: one a column, or one of all columns where none is text",
        "requestBody": {"required": True, **request},
        "responses": {
            "200": {"description": "The model's answer", **_content("InferenceResponse")},
            **{
                status: {"description": text, **_content("InferenceError")}
                for status, text in failures.items()
            },
        },
    }


def _example(served: Served) -> dict[str, Any]:
    """Return a request for the schema's example row that is answered."""
    row = example_row(served.schema)
    return {
        "inputs": [
            {**described, "shape": [1], "data": [row[described["name"]]]}
            for described in served.inference.metadata()["inputs"]
        ]
    }


def _get(summary: str, answer: str, *failures: str) -> dict[str, Any]:
    refused = _content("Readiness" if answer == "Readiness" else "Error")
    if answer == "ModelReadiness":
        refused = {"content": {"application/json": {"schema": {"type": "object"}}}}
    responses = {"200": {"description": summary, **_content(answer)}}
    responses |= {status: {"description": "Not now", **refused} for status in failures}
    return {"get": {"summary": summary, "responses": responses}}


def _content(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"content": {"application/json": {"schema": schema}}}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}
