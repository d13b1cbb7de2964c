"""A model that answers otherwise than its estimator does not pass the gate."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, compose, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.ensemble import HistGradientBoostingClassifier

from modelwarrant.errors import ParityError
from modelwarrant.training.fitted import Fitted
from modelwarrant.training.graph import Graph
from modelwarrant.training.parity import check_parity, hard_rows
from modelwarrant.training.recipes import fit_recipe
from tests.training.made_rows import mixed_examples, recipe

Change = Callable[[onnx.NodeProto], None]


def attribute(node: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    """Return a node's attribute."""
    return next(each for each in node.attribute if each.name == name)


def spoiled(fitted: Fitted, change: Change) -> Fitted:
    """Return the fitted model with its tree node changed, as a faulty converter would."""
    model = onnx.load_from_string(fitted.onnx)
    change(next(node for node in model.graph.node if node.op_type == "TreeEnsemble"))
    return replace(fitted, onnx=model.SerializeToString())


def round_thresholds(node: onnx.NodeProto) -> None:
    """Keep thresholds in float32."""
    splits = attribute(node, "nodes_splits")
    rounded = numpy_helper.to_array(splits.t).astype(np.float32).astype(np.float64)
    splits.t.CopyFrom(numpy_helper.from_array(rounded, "splits"))


def swap_missing(node: onnx.NodeProto) -> None:
    """Send missing values the other way."""
    held = attribute(node, "nodes_missing_value_tracks_true")
    held.ints[:] = [1 - value for value in held.ints]


def drop_categories(node: onnx.NodeProto) -> None:
    """Route levels as if their codes were numbers."""
    modes = attribute(node, "nodes_modes")
    plain = np.zeros_like(numpy_helper.to_array(modes.t))
    modes.t.CopyFrom(numpy_helper.from_array(plain, "modes"))
    node.attribute.remove(attribute(node, "membership_values"))


@pytest.mark.parametrize("change", [round_thresholds, swap_missing, drop_categories])
@pytest.mark.parametrize("target", ["binary", "multi", "regression"])
def test_a_planted_fault_is_refused(target: str, change: Change) -> None:
    """Rounded thresholds, lost categories and swapped missing values are each found."""
    examples = mixed_examples(target)  # type: ignore[arg-type]
    fitted = fit_recipe(recipe("hist_gradient_boosting"), examples)

    with pytest.raises(ParityError, match=r"on \d+ of \d+ rows \((training|hard) row"):
        check_parity(spoiled(fitted, change), examples)


@pytest.mark.filterwarnings("ignore:Field onnx.AttributeProto:DeprecationWarning")
def test_skl2onnx_loses_categories_and_is_refused() -> None:
    """The public converter's histogram boosting with categories does not pass."""
    examples = mixed_examples("binary", missing=False)
    fitted = fit_recipe(recipe("hist_gradient_boosting"), examples)
    model = HistGradientBoostingClassifier(categorical_features=[3], max_iter=8)
    model.fit(examples.rows, examples.targets)
    converted = convert_sklearn(
        model,
        initial_types=[("x", DoubleTensorType([None, 6]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    theirs = compose.add_prefix(onnx.load_from_string(converted.SerializeToString()), "own_")
    graph = Graph(6)
    graph.nodes.append(onnx.helper.make_node("Identity", ["rows"], ["own_x"]))
    graph.nodes.extend(theirs.graph.node)
    graph.initializers.extend(theirs.graph.initializer)
    scores = graph.add("Cast", theirs.graph.output[-1].name, to=TensorProto.DOUBLE)
    data = graph.model(scores, n_scores=2, opsets={"": 18, "ai.onnx.ml": 3})

    def answer(rows: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_proba(rows))

    with pytest.raises(ParityError, match="The model is refused"):
        check_parity(replace(fitted, onnx=data, answer=answer, path="float32"), examples)


def test_a_difference_counts_by_the_targets_spread() -> None:
    """A tiny target is not let through because its differences are small numbers."""
    examples = mixed_examples("regression")
    fitted = fit_recipe(recipe("linear"), examples)
    small = replace(examples, targets=examples.targets * 1e-12)
    off = replace(fitted, answer=lambda rows: fitted.answer(rows) * (1 + 1e-8))

    with pytest.raises(ParityError, match="allowed 1e-09"):
        check_parity(off, small)


def test_hard_rows_keep_the_schema() -> None:
    """Hard rows reach thresholds, missing and unseen values, and nothing that is forbidden."""
    examples = mixed_examples("binary")
    fitted = fit_recipe(recipe("hist_gradient_boosting"), examples)

    rows, changed = hard_rows(fitted, examples)

    age, colour = rows[changed == 1, 1], rows[changed == 3, 3]
    assert (0.0, 120.0) == (np.nanmin(age), np.nanmax(age))
    assert {-1.0, 0.0, 1.0, 2.0, 3.0} == set(colour[~np.isnan(colour)])
    assert np.isnan(rows[changed == 4, 4]).any()
    assert fitted.probes is not None
    assert len(fitted.probes[0]) <= len(rows)


def test_an_estimator_that_cannot_answer_is_refused() -> None:
    """An error of the estimator's own becomes the gate's."""
    examples = mixed_examples("binary")
    fitted = fit_recipe(recipe("linear"), examples)

    def broken(rows: np.ndarray) -> np.ndarray:
        raise ValueError("no answer")

    with pytest.raises(ParityError, match="cannot answer: no answer"):
        check_parity(replace(fitted, answer=broken), examples)
