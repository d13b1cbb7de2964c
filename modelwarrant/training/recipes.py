"""Which recipes are there, and are a recipe's parameters ones that its estimator has?"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final

from modelwarrant.errors import TrainingError
from modelwarrant.records import Recipe
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import Fitted

__all__ = ["BUILT_IN", "fit_recipe"]

BUILT_IN: Final = ("hist_gradient_boosting", "random_forest", "linear")
"""Names of the built-in recipes; ``package.module:Estimator`` names one of one's own."""

_OURS: Final = frozenset(
    {"random_state", "categorical_features", "n_jobs", "warm_start", "verbose"}
)
"""Parameters that a recipe may not set: they would break the same-bytes promise or the encoding."""

_Fit = Callable[[Any, Examples], Fitted]


def fit_recipe(recipe: Recipe, examples: Examples) -> Fitted:
    """Fit a recipe's estimator.

    Raises:
        TrainingError: no such recipe or parameter, a value the estimator refuses, or rows it
            cannot be fitted on.
    """
    model, fit = _estimator(recipe, examples.schema.task or "")
    _set_parameters(model, recipe, examples.schema.classes or ())
    try:
        return fit(model, examples)
    except (ValueError, TypeError, FloatingPointError, OverflowError, MemoryError) as error:
        first = str(error).strip().partition("\n")[0]
        raise TrainingError(f"recipe {recipe.model}: cannot be fitted: {first}") from error


def _estimator(recipe: Recipe, task: str) -> tuple[Any, _Fit]:
    """Import the family that the recipe names, and nothing of the others."""
    if recipe.model == "hist_gradient_boosting":
        from modelwarrant.training import boosting

        return boosting.estimator(task, recipe.seed), boosting.fit_boosting
    if recipe.model == "random_forest":
        from modelwarrant.training import forest

        return forest.estimator(task, recipe.seed), forest.fit_forest
    if recipe.model == "linear":
        from modelwarrant.training import linear

        return linear.estimator(task, recipe.seed), linear.fit_linear
    if ":" in recipe.model:
        from modelwarrant.training import own

        return own.estimator(recipe.model, task, recipe.seed), own.fit_own
    near = get_close_matches(recipe.model, BUILT_IN, n=1)
    raise TrainingError(
        f"there is no recipe {recipe.model!r}"
        + (f" (did you mean {near[0]!r}?)" if near else "")
        + f"; take {', '.join(BUILT_IN)} or package.module:Estimator"
    )


def _set_parameters(model: Any, recipe: Recipe, classes: tuple[str, ...]) -> None:
    known = set(model.get_params()) - _OURS
    unknown = sorted(set(recipe.parameters) - known)
    if unknown and unknown[0] in _OURS:
        raise TrainingError(
            f"recipe {recipe.model}: the parameter {unknown[0]!r} is set by modelwarrant; "
            "leave it out (the recipe's 'seed' seeds the estimator)"
        )
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        raise TrainingError(
            f"recipe {recipe.model}: has no parameter {unknown[0]!r}"
            + (f" (did you mean {near[0]!r}?)" if near else "")
            + f"; it has {', '.join(sorted(known))}"
        )
    parameters = dict(recipe.parameters)
    if isinstance(weights := parameters.get("class_weight"), dict):
        parameters["class_weight"] = _by_code(weights, classes, recipe.model)
    model.set_params(**parameters)


def _by_code(weights: dict[str, Any], classes: tuple[str, ...], model: str) -> dict[int, Any]:
    """Return weights by class code: estimators learn codes, and a recipe names labels."""
    for label in weights:
        if label not in classes:
            raise TrainingError(
                f"recipe {model}: class_weight names the label {label!r}; the target's classes "
                f"are {', '.join(classes)}"
            )
    return {code: weights.get(label, 1.0) for code, label in enumerate(classes)}
