"""How is an ONNX graph put together, so that the same model is the same bytes?

Names count up, no dates, a fixed IR version and fixed operator sets.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from modelwarrant.bundle import INPUT, OUTPUT
from modelwarrant.errors import TrainingError

__all__ = ["IR_VERSION", "OPSETS", "Graph"]

IR_VERSION = 10
OPSETS = {"": 18, "ai.onnx.ml": 5}
_LARGEST_BYTES = 1 << 30
"""Protobuf ends at 2 GiB, and a server should not have to hold even this."""

Floats = npt.NDArray[np.float64]


class Graph:
    """Collects nodes and constants; a value is named by the text that ``add`` returns.

    Args:
        n_features: columns of the input.
    """

    def __init__(self, n_features: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._n_features = n_features
        self._count = 0

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output and return the output's name."""
        name = self._name()
        self.nodes.append(
            helper.make_node(operator, list(inputs), [name], domain=domain, **attributes)
        )
        return name

    def constant(self, value: npt.ArrayLike, dtype: type[np.generic] = np.float64) -> str:
        """Add a constant and return its name."""
        name = self._name()
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def columns(self, positions: Sequence[int]) -> str:
        """Return the input's columns at these positions, [None, len(positions)]."""
        if list(positions) == list(range(self._n_features)):
            return INPUT
        return self.add("Gather", INPUT, self.constant(list(positions), np.int64), axis=1)

    def probabilities(self, raw: str, *, n_scores: int) -> str:
        """Return class probabilities of raw scores: logistic for one column, softmax for more."""
        if n_scores > 1:
            return self.add("Softmax", raw, axis=1)
        positive = self.add("Sigmoid", raw)
        return self.complement(positive)

    def complement(self, positive: str) -> str:
        """Return both columns of a binary answer from the second one."""
        return self.add("Concat", self.add("Sub", self.constant([1.0]), positive), positive, axis=1)

    def spread(self, scores: str, present: Sequence[int], n_classes: int) -> str:
        """Return scores over all classes; one that no training row had gets 0."""
        if len(present) == n_classes:
            return scores
        places = np.zeros((len(present), n_classes))
        places[np.arange(len(present)), present] = 1.0
        return self.add("MatMul", scores, self.constant(places))

    def model(self, scores: str, *, n_scores: int, opsets: dict[str, int] | None = None) -> bytes:
        """Return the finished model.

        Raises:
            TrainingError: the model is larger than a bundle may be.
        """
        if self.nodes and self.nodes[-1].output[0] == scores:
            self.nodes[-1].output[0] = OUTPUT
        else:
            self.nodes.append(helper.make_node("Identity", [scores], [OUTPUT]))
        graph = helper.make_graph(
            self.nodes,
            "modelwarrant",
            [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, self._n_features])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, [None, n_scores])],
            self.initializers,
        )
        model = helper.make_model(
            graph,
            producer_name="modelwarrant",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid(*pair) for pair in (opsets or OPSETS).items()],
        )
        data: bytes = model.SerializeToString(deterministic=True)
        if len(data) > _LARGEST_BYTES:
            raise TrainingError(
                f"the model has {len(data) / 2**20:,.0f} MiB, at most 1,024 can be kept; "
                "use fewer or smaller trees"
            )
        return data

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"
