"""A small real model with its schema and manifest."""

from typing import Any

from modelwarrant.canonical import digest_bytes
from modelwarrant.records import ModelManifest, WindowRef
from modelwarrant.training import FittedModel, fit
from modelwarrant.windows import FeatureSchema, Window
from tests.training.made_rows import Target, mixed, recipe


def fitted_model(target: Target = "binary", model: str = "linear") -> FittedModel:
    """Return a model of the six columns of ``mixed``, missing values allowed."""
    split, schema = mixed(target, missing=True)
    return fit([split], schema, recipe(model))


def window_of(target: Target = "binary") -> Window:
    """Return the rows that the model was fitted on."""
    return mixed(target, missing=True)[0].window


def manifest_of(
    onnx: bytes, schema: FeatureSchema, fitted: FittedModel, **more: Any
) -> ModelManifest:
    """Return the manifest that belongs to these bytes and this schema."""
    ref = WindowRef(
        source="rows.csv",
        bounds="0:240",
        rows=240,
        window_digest=digest_bytes(b"window"),
        schema_digest=schema.digest,
        final=0.3,
    )
    stated: dict[str, Any] = {
        "model": "demo",
        "model_digest": digest_bytes(onnx),
        "feature_schema_digest": schema.digest,
        "recipe": recipe("linear"),
        "train": "current",
        "current": ref,
        "reference": None,
        "training_digest": digest_bytes(b"rows"),
        "training_rows": fitted.rows,
        "training_metrics": fitted.metrics,
        "parity": fitted.parity,
        "run": "run-1",
        "requester": "ada",
        "code_commit": None,
        "code_dirty": None,
        "lock_digest": digest_bytes(b"lock"),
        "image_digest": None,
        "cpu": "x86_64",
        "engine_version": "0",
    }
    return ModelManifest(**{**stated, **more})
