"""How do rows and a recipe become a model that may be kept?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from modelwarrant.records import ParityReport, Recipe
from modelwarrant.training.examples import Examples, examples_of
from modelwarrant.training.parity import check_parity, compared_step
from modelwarrant.training.recipes import fit_recipe
from modelwarrant.windows import FeatureSchema, TrainingSplit

__all__ = ["FittedModel", "fit"]


@dataclass(frozen=True)
class FittedModel:
    """A model that passed the parity gate."""

    onnx: bytes
    schema: FeatureSchema
    """The schema it reads by: as given, with every category's levels listed."""
    parity: ParityReport
    metrics: dict[str, float]
    """On the training rows that parity compared: for reading, never for deciding."""
    rows: int
    """Rows it was fitted on."""


def fit(train: Sequence[TrainingSplit], schema: FeatureSchema, recipe: Recipe) -> FittedModel:
    """Fit a recipe, write it as ONNX, and prove that both answer alike.

    The same rows in the same order, schema and recipe give the same bytes, whatever the number of
    threads: estimators run in one.

    Args:
        train: the only rows that are seen; oldest split first.
        schema: the declared columns, task and classes.
        recipe: estimator, seed and parameters.

    Raises:
        TypeError: a final split, or anything else than training splits.
        TrainingError: an unknown recipe or parameter, or rows that cannot be learnt from.
        ParityError: the ONNX model answers differently; names the rows.
        MissingExtraError: an estimator of the user's own needs skl2onnx.
    """
    examples = examples_of(train, schema)
    with threadpool_limits(limits=1):
        fitted = fit_recipe(recipe, examples)
        report, answers = check_parity(fitted, examples)
    return FittedModel(
        onnx=fitted.onnx,
        schema=examples.schema,
        parity=report,
        metrics=_metrics(examples, answers, examples.targets[:: compared_step(len(examples.rows))]),
        rows=len(examples.rows),
    )


def _metrics(
    examples: Examples, answers: npt.NDArray[np.float64], targets: npt.NDArray[np.generic]
) -> dict[str, float]:
    if examples.schema.task == "regression":
        errors = answers[:, 0] - targets.astype(np.float64)
        return {
            "training_squared_error": float(np.mean(errors**2)),
            "training_absolute_error": float(np.mean(np.abs(errors))),
        }
    codes = targets.astype(np.int64)
    chosen = answers[np.arange(len(codes)), codes]
    return {
        "training_log_loss": float(np.mean(-np.log(np.maximum(chosen, 1e-15)))),
        "training_error_rate": float(np.mean(answers.argmax(axis=1) != codes)),
    }
