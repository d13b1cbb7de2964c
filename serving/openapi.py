"""How is the current model's request described to a program?"""

from typing import Any

from modelwarrant.windows import Feature, FeatureSchema
from serving.checks import example_row, has_integer_levels
from serving.openapi_inference import inference_paths, inference_schemas
from serving.served import Served

__all__ = ["openapi_document", "row_schema"]

_LEVELS_SHOWN = 50


def row_schema(schema: FeatureSchema) -> dict[str, Any]:
    """Return the JSON Schema of one row."""
    return {
        "type": "object",
        "properties": {feature.name: _property(feature) for feature in schema.features},
        "required": list(schema.names),
        "additionalProperties": False,
        "examples": [example_row(schema)],
    }


def openapi_document(served: Served, *, title: str, version: str, max_rows: int) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document for the model that is served now."""
    row = {"$ref": "#/components/schemas/Row"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": f"Model {served.model}, version {served.version}, allowed by decision "
            f"{served.decision_id}. The row below is this version's own schema.",
        },
        "paths": {
            "/predict": {"post": _predict(row, example_row(served.schema), max_rows)},
            "/version": {"get": _get("What is served, and by whose decision", "Version")},
            "/readyz": {
                "get": _get("Whether a model is loaded; names faults of the store", "Readiness")
                | {
                    "responses": {
                        "200": _json("A model is loaded", "Readiness"),
                        "503": _json("No model is loaded, or the service stops", "Readiness"),
                    }
                }
            },
            "/livez": {"get": _get("Whether the process answers", "Liveness")},
            "/metrics": {
                "get": {
                    "summary": "Counters for Prometheus",
                    "responses": {
                        "200": {
                            "description": "Text format",
                            "content": {"text/plain": {"schema": {"type": "string"}}},
                        }
                    },
                }
            },
            "/shadow": {"get": _get("How another version would have answered", "Shadow")},
            **inference_paths(served),
        },
        "components": {"schemas": _schemas(served, row) | inference_schemas(served)},
    }


def _property(feature: Feature) -> dict[str, Any]:
    kinds = {"number": "number", "boolean": "boolean"}
    types = [kinds.get(feature.kind, "string")]
    described: dict[str, Any] = {}
    if feature.kind == "number":
        low, high = feature.range or (None, None)
        described |= {} if low is None else {"minimum": low}
        described |= {} if high is None else {"maximum": high}
    if feature.kind == "time":
        described |= {"format": "date-time", "description": "ISO 8601; UTC where no zone is given"}
    if feature.kind == "category" and feature.categories:
        described["description"] = "Another level than those known is answered like a rare one"
        described["examples"] = list(feature.categories[:_LEVELS_SHOWN])
        types += ["integer"] if has_integer_levels(feature) else []
    types += ["null"] if feature.missing else []
    return {"type": types[0] if len(types) == 1 else types, **described}


def _predict(row: dict[str, Any], example: dict[str, Any], max_rows: int) -> dict[str, Any]:
    batch = {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": row, "minItems": 1, "maxItems": max_rows}
        },
        "required": ["rows"],
        "additionalProperties": False,
    }
    answer = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "Answers")]}
    failures = {
        "400": "The body is not JSON, or X-Request-Id is none",
        "408": "The body did not arrive in time",
        "413": "The body is too large",
        "415": "The body is not declared as application/json",
        "422": "A field is unknown, absent, doubled, of the wrong type or outside its range",
        "503": "No model is loaded, or too many large requests wait; see Retry-After",
    }
    return {
        "summary": "Answer for one row, or for several",
        "parameters": [
            {
                "name": "X-Request-Id",
                "in": "header",
                "required": False,
                "description": "Labels that arrive later are joined by it; one is made if absent",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"anyOf": [row, batch]}, "example": example}
            },
        },
        "responses": {
            "200": {
                "description": "The model's answer",
                "content": {"application/json": {"schema": answer}},
            },
            **{status: _json(text, "Error") for status, text in failures.items()},
        },
    }


def _get(summary: str, answer: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json(summary, answer)}}


def _json(description: str, name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _schemas(served: Served, row: dict[str, Any]) -> dict[str, Any]:
    text, integer, number = {"type": "string"}, {"type": "integer"}, {"type": "number"}
    identity = {
        "model": text,
        "version": integer,
        "model_digest": text,
        "decision_id": {**text, "description": "Digest of the decision that allowed this version"},
    }
    one = _one_answer(served)
    request_id = {"request_id": text}
    problem = _object(
        {
            "row": {"type": ["integer", "null"]},
            "field": {"type": ["string", "null"]},
            "problem": text,
        }
    )
    return {
        "Row": row_schema(served.schema),
        "Answer": _object(one | identity | request_id),
        "Answers": _object(
            {"predictions": {"type": "array", "items": _object(one)}} | identity | request_id
        ),
        "Error": _object(
            {"error": text, "problems": {"type": "array", "items": problem}} | request_id,
            optional=("problems", "request_id"),
        ),
        "Version": _object(
            identity | {"task": text, "ledger_seq": integer, "model_stale_seconds": number}
        ),
        "Readiness": _object(
            {
                "ready": {"type": "boolean"},
                "model": text,
                "version": {"type": ["integer", "null"]},
                "store": {**text, "description": "'ok', or what is wrong with the store or ledger"},
                "ledger_seq": {"type": ["integer", "null"]},
                "model_stale_seconds": {"type": ["number", "null"]},
                "stopping": {"type": "boolean"},
            }
        ),
        "Shadow": _object({"role": {"enum": ["previous", "candidate", None]}}),
        "Liveness": _object({"live": {"type": "boolean"}}),
    }


def _one_answer(served: Served) -> dict[str, Any]:
    if served.schema.task == "regression":
        return {"prediction": {"type": "number"}}
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "prediction": {"enum": list(served.labels)},
        "probabilities": _object(dict.fromkeys(served.schema.classes or (), chance)),
    }
