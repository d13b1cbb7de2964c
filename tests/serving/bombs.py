"""Models that a service must not survive by luck: each parses, and then takes everything."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def _model(nodes: list[onnx.NodeProto], initializers: list[onnx.TensorProto]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "bomb",
        [helper.make_tensor_value_info("rows", TensorProto.DOUBLE, [None, 6])],
        [helper.make_tensor_value_info("scores", TensorProto.DOUBLE, [None, 1])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return bytes(model.SerializeToString())


def memory_bomb(size: int = 10**11) -> bytes:
    """Return a model of some hundred bytes that asks for ``8 * size`` bytes to answer one row."""
    nodes = [
        helper.make_node("ReduceSum", ["rows", "last"], ["sum"], keepdims=1),
        helper.make_node("Expand", ["sum", "shape"], ["huge"]),
        helper.make_node("ReduceMax", ["huge", "last"], ["scores"], keepdims=1),
    ]
    shape = numpy_helper.from_array(np.array([1, size]), "shape")
    return _model(nodes, [shape, numpy_helper.from_array(np.array([1]), "last")])


def endless() -> bytes:
    """Return a model whose loop runs 2^62 times."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Add", ["held_in", "held_in"], ["held_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held_in", TensorProto.DOUBLE, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held_out", TensorProto.DOUBLE, [None, 1]),
        ],
    )
    nodes = [
        helper.make_node("ReduceSum", ["rows", "last"], ["sum"], keepdims=1),
        helper.make_node("Loop", ["turns", "go", "sum"], ["scores"], body=body),
    ]
    return _model(
        nodes,
        [
            numpy_helper.from_array(np.array([1]), "last"),
            numpy_helper.from_array(np.array(2**62), "turns"),
            numpy_helper.from_array(np.array(True), "go"),
        ],
    )


def with_external_data(path: str) -> bytes:
    """Return a model whose weights lie in another file of the machine."""
    weights = TensorProto(name="weights", data_type=TensorProto.DOUBLE, dims=[6, 1])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=path)
    return _model([helper.make_node("MatMul", ["rows", "weights"], ["scores"])], [weights])
