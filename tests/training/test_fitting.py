"""What a fitted model answers, and that it is the same bytes each time."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest

from modelwarrant.bundle import Scorer
from modelwarrant.errors import TrainingError
from modelwarrant.training import BUILT_IN, fit
from modelwarrant.training.recipes import fit_recipe
from modelwarrant.windows import Feature, FinalSplit
from tests.training.made_rows import (
    Target,
    mixed,
    mixed_examples,
    recipe,
    schema_of,
    split_of,
    targets_of,
)

ROOT = Path(__file__).parents[2]
TARGETS: tuple[Target, ...] = ("binary", "multi", "regression")


def scorer_of(model: bytes, n_features: int, n_scores: int) -> Scorer:
    """Open a fitted model as serving does."""
    return Scorer(model, n_features=n_features, n_scores=n_scores, name="model.onnx")


def n_scores(target: Target) -> int:
    """Columns of the answer."""
    return {"binary": 2, "multi": 3, "regression": 1}[target]


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "open"])
@pytest.mark.parametrize("missing", [False, True], ids=["whole", "holes"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_every_recipe_passes_parity(
    model: str, target: Target, missing: bool, listed: bool
) -> None:
    """Each recipe answers within 1e-9 of scikit-learn, whatever the target and the columns."""
    split, schema = mixed(target, missing=missing, listed=listed)

    fitted = fit([split], schema, recipe(model))

    assert "double" == fitted.parity.path
    assert 0 == fitted.parity.label_differences
    assert fitted.parity.max_difference <= 1e-9
    assert len(split.window) == fitted.rows == fitted.parity.rows


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_the_kept_model_answers_new_rows_as_scikit_learn_does(model: str, target: Target) -> None:
    """On 2,000 rows that no gate saw, with missing and unseen values, the answers agree."""
    examples = mixed_examples(target)
    fitted = fit_recipe(recipe(model), examples)
    rng = np.random.default_rng(5)
    rows = np.column_stack(
        [rng.choice(examples.rows[:, column], 2000) for column in range(examples.rows.shape[1])]
    )
    rows[:, 0] += rng.normal(size=2000)
    rows[:, 2] += rng.integers(-3, 4, 2000)
    rows[:, 3] = rng.choice([-1.0, 0.0, 1.0, 2.0, 3.0, np.nan], 2000)

    found = scorer_of(fitted.onnx, 6, n_scores(target)).scores(rows)

    np.testing.assert_allclose(found, fitted.answer(rows), rtol=0, atol=1e-9)


SIZE = Feature(name="size", kind="number")
N_ROWS = 200


def signal() -> np.ndarray:
    """A number a row, the same in each test."""
    return np.random.default_rng(0).normal(size=N_ROWS)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
@pytest.mark.parametrize(
    ("feature", "column"),
    [
        (Feature(name="x", kind="number", missing=True), pa.array([None] * N_ROWS, pa.float64())),
        (Feature(name="x", kind="category", missing=True), pa.array([None] * N_ROWS, pa.string())),
        (Feature(name="x", kind="boolean", missing=True), pa.array([None] * N_ROWS, pa.bool_())),
        (Feature(name="x", kind="category", categories=()), ["u"] * N_ROWS),
        (Feature(name="x", kind="category", categories=("p",)), ["p", "q"] * (N_ROWS // 2)),
        (Feature(name="x", kind="number"), [0.1] * N_ROWS),
        (Feature(name="x", kind="number", range=(None, 1e300)), [0.1, 3.0] * (N_ROWS // 2)),
    ],
    ids=["no number", "no level", "no boolean", "0 levels", "1 level", "constant", "wide range"],
)
def test_odd_columns_beside_a_good_one(
    model: str, target: Target, feature: Feature, column: Any
) -> None:
    """A column that says little or nothing never stops a fit."""
    schema = schema_of(target, SIZE, feature)
    rng = np.random.default_rng(1)
    columns = {"size": signal(), "x": column, "y": targets_of(target, signal(), rng)}

    assert fit([split_of(schema, columns)], schema, recipe(model)).parity.max_difference <= 1e-9


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_only_categories(model: str, target: Target) -> None:
    """A schema without numbers is learnt, with missing and unseen levels."""
    schema = schema_of(target, Feature(name="x", kind="category", missing=True, categories=("p",)))
    levels = [("p", "q", None)[int(row)] for row in np.digitize(signal(), [-0.5, 0.5])]
    columns = {"x": levels, "y": targets_of(target, signal(), np.random.default_rng(1))}

    assert fit([split_of(schema, columns)], schema, recipe(model)).parity.max_difference <= 1e-9


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_splits_on_missing_only(model: str, target: Target) -> None:
    """Where only a value's absence tells, boosting splits at infinity and the model follows."""
    gone = signal() > 0
    schema = schema_of(target, Feature(name="x", kind="number", missing=True))
    columns = {
        "x": pa.array(np.ones(N_ROWS), mask=gone),
        "y": targets_of(target, gone * 3.0, np.random.default_rng(1)),
    }

    fitted = fit([split_of(schema, columns)], schema, recipe(model))

    answers = scorer_of(fitted.onnx, 1, n_scores(target)).scores(np.array([[1.0], [np.nan]]))
    assert np.abs(answers[0] - answers[1]).max() > 0.3


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", ["hist_gradient_boosting", "random_forest"])
def test_trees_of_one_leaf(model: str, target: Target) -> None:
    """Trees that found no split are kept as constants."""
    split, schema = mixed(target)

    fitted = fit([split], schema, recipe(model, min_samples_leaf=10_000))

    rows = np.zeros((2, 6))
    first, second = scorer_of(fitted.onnx, 6, n_scores(target)).scores(rows)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("absent", ["a", "b", "c"])
@pytest.mark.parametrize("model", BUILT_IN)
def test_a_class_without_training_rows_gets_no_probability(model: str, absent: str) -> None:
    """A declared class that no row has keeps its column, which is 0."""
    schema = schema_of("multi", SIZE)
    first, second = (label for label in "abc" if label != absent)
    labels = [first if value < 0 else second for value in signal()]

    fitted = fit([split_of(schema, {"size": signal(), "y": labels})], schema, recipe(model))

    scores = scorer_of(fitted.onnx, 1, 3).scores(np.array([[-1.0], [1.0]]))
    assert 0.0 == scores[:, "abc".index(absent)].max()
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12, 1e30])
@pytest.mark.parametrize("model", BUILT_IN)
def test_the_unit_of_the_target_does_not_matter(model: str, scale: float) -> None:
    """Targets of any size pass the gate, relative to their spread."""
    schema = schema_of("regression", SIZE)
    split = split_of(schema, {"size": signal(), "y": signal() * scale})

    assert fit([split], schema, recipe(model)).parity.max_difference <= 1e-9


@pytest.mark.parametrize("loss", ["poisson", "gamma", "absolute_error", "quantile"])
def test_losses_with_another_link(loss: str) -> None:
    """A loss with a log link predicts on the target's own scale."""
    schema = schema_of("regression", SIZE)
    split = split_of(schema, {"size": signal(), "y": np.exp(signal())})
    more = {"quantile": 0.9} if loss == "quantile" else {}

    fitted = fit([split], schema, recipe("hist_gradient_boosting", loss=loss, **more))

    answers = scorer_of(fitted.onnx, 1, 1).scores(signal()[:, None])
    assert answers.min() > 0.0
    assert fitted.parity.max_difference <= 1e-9


@pytest.mark.parametrize("model", ["random_forest", "linear"])
def test_numbers_that_overflow_float32_are_refused(model: str) -> None:
    """A number beyond 3.4e38 is refused by name, not by a crash in the estimator."""
    schema = schema_of("regression", SIZE)
    split = split_of(schema, {"size": signal() * 1e40, "y": signal()})

    with pytest.raises(TrainingError, match=r"column 'size': \d+ of 200 values lie beyond"):
        fit([split], schema, recipe(model))


def test_boosting_learns_from_numbers_beyond_float32() -> None:
    """Histogram boosting bins in double, so numbers of 1e300 are ordinary to it."""
    schema = schema_of("regression", SIZE)
    split = split_of(schema, {"size": signal() * 1e300, "y": signal()})

    fitted = fit([split], schema, recipe("hist_gradient_boosting"))

    assert fitted.metrics["training_squared_error"] < 0.5


@pytest.mark.parametrize("model", BUILT_IN)
def test_targets_that_overflow_float32_are_refused(model: str) -> None:
    """A target beyond 3.4e38 names itself."""
    schema = schema_of("regression", SIZE)
    split = split_of(schema, {"size": signal(), "y": signal() * 1e40})

    with pytest.raises(TrainingError, match="target 'y': values beyond"):
        fit([split], schema, recipe(model))


def test_linear_without_a_column_is_refused() -> None:
    """Categories without levels alone give a linear model nothing to learn from."""
    schema = schema_of("binary", Feature(name="x", kind="category", categories=()))

    with pytest.raises(TrainingError, match="no feature gives a column"):
        fit([split_of(schema, {"x": ["u"] * 4, "y": ["no", "yes"] * 2})], schema, recipe("linear"))


def test_a_final_split_is_refused_by_type() -> None:
    """Rows that judge a model never train one."""
    split, schema = mixed("binary")

    with pytest.raises(TypeError, match="not FinalSplit"):
        fit([split, FinalSplit(split.window)], schema, recipe("linear"))  # type: ignore[list-item]


def test_one_class_is_refused() -> None:
    """A target that never changes cannot be learnt."""
    schema = schema_of("binary", SIZE)

    with pytest.raises(TrainingError, match="target 'y': the training rows hold one class only"):
        fit([split_of(schema, {"size": [1.0, 2.0], "y": ["no", "no"]})], schema, recipe("linear"))


def test_no_rows_are_refused() -> None:
    """Nothing is fitted on nothing."""
    with pytest.raises(TrainingError, match="no rows"):
        fit([], schema_of("binary", SIZE), recipe("linear"))


def test_open_categories_are_listed_in_the_models_schema() -> None:
    """The schema that goes with the model lists the levels it was trained on, sorted."""
    split, schema = mixed("binary", listed=False)

    fitted = fit([split], schema, recipe("linear"))

    assert ("blue", "green", "red", "unlisted") == fitted.schema.feature("colour").categories


PROGRAM = """
import sys
from modelwarrant.canonical import digest_bytes
from modelwarrant.training import BUILT_IN, fit
from tests.training.made_rows import mixed, recipe

split, schema = mixed("multi", missing=True, listed=False)
print([digest_bytes(fit([split], schema, recipe(model)).onnx) for model in BUILT_IN])
"""


def test_the_same_rows_give_the_same_bytes() -> None:
    """Neither the number of threads nor the hash seed of a process changes a model."""

    def digests(threads: str, seed: str) -> str:
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**environment, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert digests("1", "1") == digests("2", "77")


@pytest.mark.parametrize("missing", [False, True], ids=["whole", "holes"])
def test_what_changes_nothing_is_no_step_of_the_model(missing: bool) -> None:
    """Each step costs a request: nothing is filled where nothing may be missing."""
    names = ["a", "b"]
    rng = np.random.default_rng(5)
    columns = {name: rng.normal(size=80) for name in names}
    schema = schema_of(
        "binary", *(Feature(name=name, kind="number", missing=missing) for name in names)
    )
    columns["y"] = np.array(targets_of("binary", columns["a"], rng))
    split = split_of(schema, columns)

    model = onnx.load_from_string(fit([split], schema, recipe("random_forest")).onnx)

    steps = [node.op_type for node in model.graph.node]
    filling = ["IsNaN", "Where", "IsNaN", "Cast", "Concat"] if missing else []
    assert [*filling, "Cast", "Cast", "TreeEnsemble", "Sub", "Concat"] == steps
