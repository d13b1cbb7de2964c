"""Small real models as bundles, written straight into ONNX; their answers are known by heart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.records import ModelManifest, ParityReport, Recipe, WindowRef
from modelwarrant.windows import Feature, FeatureSchema

FEATURES = (
    Feature(name="distance", kind="number", range=(0.0, 5000.0)),
    Feature(name="wind", kind="number", missing=True),
    Feature(name="carrier", kind="category", categories=("AA", "UA", "ÉG")),
    Feature(name="month", kind="category", categories=("1", "2", "12"), missing=True),
    Feature(name="night", kind="boolean"),
    Feature(name="departure", kind="time"),
)
"""One of each kind, with and without missing values."""

ROW: dict[str, Any] = {
    "distance": 500.0,
    "wind": None,
    "carrier": "UA",
    "month": 2,
    "night": True,
    "departure": "2013-01-01T05:15:00Z",
}
"""A row that ``FEATURES`` allow."""


def classification(
    *,
    classes: tuple[str, ...] = ("0", "1"),
    class_kind: str = "integer",
    features: Sequence[Feature] = FEATURES,
) -> FeatureSchema:
    """Return a schema for labels."""
    return FeatureSchema.model_validate(
        {
            "features": tuple(features),
            "task": "classification",
            "target": "late",
            "classes": classes,
            "class_kind": class_kind,
        }
    )


def regression(features: Sequence[Feature] = FEATURES) -> FeatureSchema:
    """Return a schema for a number."""
    return FeatureSchema(features=tuple(features), task="regression", target="air_time")


def linear_model(schema: FeatureSchema, *, weights: Any, bias: Sequence[float]) -> bytes:
    """Return ``rows @ weights + bias`` (missing as 0) as ONNX, through a softmax for labels.

    Args:
        schema: columns, task and classes.
        weights: one list of k weights a feature that is not all zero, by name.
        bias: k numbers.
    """
    table = np.zeros((len(schema.features), len(bias)))
    for name, row in weights.items():
        table[schema.names.index(name)] = row
    is_classifier = schema.task == "classification"
    nodes = [
        helper.make_node("IsNaN", ["rows"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "rows"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum" if is_classifier else "scores"]),
    ]
    if is_classifier:
        nodes.append(helper.make_node("Softmax", ["sum"], ["scores"], axis=1))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("rows", TensorProto.DOUBLE, [None, len(table)])],
        [helper.make_tensor_value_info("scores", TensorProto.DOUBLE, [None, len(bias)])],
        [
            numpy_helper.from_array(np.zeros(1), "zero"),
            numpy_helper.from_array(table, "weights"),
            numpy_helper.from_array(np.array(bias, dtype=np.float64), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def bundle_files(
    schema: FeatureSchema, onnx_bytes: bytes, *, model: str = "flights", run: str = "run-1"
) -> dict[str, bytes]:
    """Return a bundle's three files."""
    digest = digest_bytes(run.encode())
    window = WindowRef(
        source="flights.csv",
        bounds="0:100",
        rows=100,
        window_digest=digest,
        schema_digest=schema.digest,
        final=0.3,
    )
    manifest = ModelManifest(
        model=model,
        model_digest=digest_bytes(onnx_bytes),
        feature_schema_digest=schema.digest,
        recipe=Recipe(model="linear"),
        train="current",
        current=window,
        reference=None,
        training_digest=digest,
        training_rows=70,
        training_metrics={},
        parity=ParityReport(
            rows=70,
            hard_rows=10,
            label_differences=0,
            ties=0,
            max_difference=0.0,
            tolerance=1e-9,
            path="double",
        ),
        run=run,
        requester="ada@lab",
        code_commit=None,
        code_dirty=None,
        lock_digest=digest,
        image_digest=None,
        cpu="x86_64 test",
        engine_version="0",
    )
    return {
        "model.onnx": onnx_bytes,
        "schema.json": canonical_json(schema.model_dump(mode="json")),
        "manifest.json": manifest.to_bytes(),
    }


def late_model(
    *, late: float = 0.25, class_kind: str = "integer", classes: tuple[str, ...] = ("0", "1")
) -> tuple[FeatureSchema, bytes]:
    """Return a classifier that gives the second class this probability, whatever it reads."""
    schema = classification(classes=classes, class_kind=class_kind)
    return schema, linear_model(
        schema, weights={}, bias=[float(np.log(1 - late)), float(np.log(late))]
    )


def air_time_model(*, bias: float = 0.0) -> tuple[FeatureSchema, bytes]:
    """Return a regression that answers distance / 8 + bias."""
    schema = regression()
    return schema, linear_model(schema, weights={"distance": [0.125]}, bias=[bias])
