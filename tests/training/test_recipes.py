"""Which recipes and parameters are taken, and which estimators of one's own."""

import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from modelwarrant import training
from modelwarrant.errors import ParityError, TrainingError
from modelwarrant.project import RECIPES
from modelwarrant.training import fit
from modelwarrant.windows import Feature
from tests.training.made_rows import mixed, recipe, schema_of, split_of

HERE = __name__


class OwnForest(RandomForestClassifier):
    """A user's subclass of an estimator that we write ourselves."""

    def __init__(self, n_estimators: int = 5, random_state: int | None = None) -> None:
        super().__init__(n_estimators=n_estimators, random_state=random_state)


def own_pipeline() -> Pipeline:
    """A user's function that makes a pipeline."""
    return make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=5))


def test_the_project_file_knows_every_built_in_recipe() -> None:
    """The two lists, which must not import each other, are the same."""
    assert training.BUILT_IN == RECIPES


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (recipe("random_forests"), "did you mean 'random_forest'"),
        (recipe("linear", solvr="x"), "no parameter 'solvr' .did you mean 'solver'"),
        (recipe("linear", zzz=1), "linear: has no parameter 'zzz'; it has C, "),
        (recipe("linear", random_state=1), "'random_state' is set by modelwarrant"),
        (recipe("random_forest", n_jobs=2), "'n_jobs' is set by modelwarrant"),
        (recipe("linear", solver="nonsense"), "linear: cannot be fitted: The 'solver' parameter"),
        (recipe("linear", class_weight={"maybe": 2}), "label 'maybe'; .* classes are no, yes"),
        (recipe("no_such_module:Thing"), "cannot be imported"),
        (recipe("sklearn.svm:Nothing"), "cannot be imported"),
        (recipe("builtins:dict"), "not a scikit-learn estimator"),
        (recipe("sklearn.pipeline:Pipeline"), "cannot be made without arguments"),
        (recipe("sklearn.svm:SVR"), "not for classification"),
        (recipe("sklearn.svm:LinearSVC"), "gives no probabilities"),
        (recipe("sklearn.dummy:DummyClassifier"), "skl2onnx cannot convert it"),
    ],
)
def test_a_recipe_that_cannot_be_kept_is_refused(made: object, message: str) -> None:
    """The error names the recipe and what is wrong with it."""
    split, schema = mixed("binary")

    with pytest.raises(TrainingError, match=message):
        fit([split], schema, made)  # type: ignore[arg-type]


def test_class_weights_are_named_by_label() -> None:
    """A recipe weighs labels, whatever code they have inside."""
    split, schema = mixed("binary")

    heavy = fit([split], schema, recipe("linear", class_weight={"yes": 50.0}))
    plain = fit([split], schema, recipe("linear"))

    assert heavy.metrics["training_log_loss"] > plain.metrics["training_log_loss"]


def test_a_subclass_of_a_forest_is_written_in_double() -> None:
    """An own tree estimator does not go through skl2onnx."""
    split, schema = mixed("multi", missing=True)

    assert "double" == fit([split], schema, recipe(f"{HERE}:OwnForest")).parity.path


@pytest.mark.parametrize("name", [f"{HERE}:own_pipeline", "sklearn.neural_network:MLPClassifier"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_other_estimators_are_converted_and_proved(name: str) -> None:
    """An own estimator or pipeline goes through skl2onnx, within 1e-5."""
    split, schema = mixed("binary", missing=True)

    fitted = fit([split], schema, recipe(name))

    assert "float32" == fitted.parity.path
    assert fitted.parity.max_difference <= 1e-5


def test_a_pipelines_steps_are_seeded() -> None:
    """The same seed gives the same bytes, also for estimators inside a pipeline."""
    split, schema = mixed("binary")
    made = recipe(f"{HERE}:own_pipeline", gradientboostingclassifier__subsample=0.5)

    assert fit([split], schema, made).onnx == fit([split], schema, made).onnx


def test_support_vector_regression_passes_by_the_targets_spread() -> None:
    """Predictions near zero are not held to more digits than float32 has."""
    split, schema = mixed("regression", missing=True)

    assert fit([split], schema, recipe("sklearn.svm:SVR")).parity.max_difference <= 1e-5


def test_a_wrong_conversion_is_refused() -> None:
    """skl2onnx's nearest neighbours part from scikit-learn's far outside the data."""
    schema = schema_of("binary", Feature(name="x", kind="number"))
    rows = {"x": [float(value) for value in range(40)], "y": ["no", "yes"] * 20}

    with pytest.raises(ParityError, match=r"hard row .*'x' = .*declare the column's range"):
        fit([split_of(schema, rows)], schema, recipe("sklearn.neighbors:KNeighborsClassifier"))


def test_own_estimators_are_scikit_learn_ones() -> None:
    """The fixtures above are what they claim to be."""
    assert isinstance(own_pipeline(), BaseEstimator)
