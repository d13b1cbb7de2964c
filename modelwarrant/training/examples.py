"""Which numbers does an estimator learn from?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import encode
from modelwarrant.errors import TrainingError
from modelwarrant.training.fitted import LARGEST_FLOAT32
from modelwarrant.windows import Feature, FeatureSchema, TrainingSplit

__all__ = ["MOST_LEVELS", "Examples", "examples_of"]

MOST_LEVELS = 250
"""Levels a category keeps where the schema lists none; rarer ones count as unseen. Histogram
gradient boosting knows at most 255."""


@dataclass(frozen=True)
class Examples:
    """Encoded rows and targets, in the order of the splits."""

    schema: FeatureSchema
    """Complete: every category lists its levels."""
    rows: npt.NDArray[np.float64]
    """(n, d), encoded as ``modelwarrant.bundle`` says."""
    targets: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    """(n,) values (regression) or class codes (classification)."""

    @property
    def categories(self) -> list[int]:
        """Positions of the category features."""
        return [i for i, feature in enumerate(self.schema.features) if feature.kind == "category"]


def examples_of(train: Sequence[TrainingSplit], schema: FeatureSchema) -> Examples:
    """Encode the rows of training splits.

    Raises:
        TypeError: something that is no ``TrainingSplit``; a final split must never be fitted.
        TrainingError: no rows, no task, or a target that cannot be learnt from.
    """
    for split in train:
        if not isinstance(split, TrainingSplit):
            raise TypeError(f"fit takes training splits, not {type(split).__name__}")
    if not train or not any(len(split.window) for split in train):
        raise TrainingError("there are no rows to train on")
    if schema.task is None or schema.target is None:
        raise TrainingError("the schema names no task and target; there is nothing to learn")
    complete = _complete(train, schema)
    rows = np.concatenate([encode(split.window, complete) for split in train])
    return Examples(complete, rows, _targets(train, complete))


def _complete(train: Sequence[TrainingSplit], schema: FeatureSchema) -> FeatureSchema:
    """List the levels of each category that lists none: the commonest, in order of the text."""
    features = tuple(
        feature.model_copy(update={"categories": _levels(train, feature)})
        if feature.kind == "category" and feature.categories is None
        else feature
        for feature in schema.features
    )
    return schema.model_copy(update={"features": features})


def _levels(train: Sequence[TrainingSplit], feature: Feature) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for split in train:
        held, _ = split.window.level_counts(feature.name)
        for level, count in held.items():
            counts[level] = counts.get(level, 0) + count
    commonest = sorted(counts, key=lambda level: (-counts[level], level))[:MOST_LEVELS]
    return tuple(sorted(commonest))


def _targets(
    train: Sequence[TrainingSplit], schema: FeatureSchema
) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    name = schema.target or ""
    if schema.task == "regression":
        values = np.concatenate([split.window.numbers(name) for split in train])
        if bad := int(np.count_nonzero(~np.isfinite(values))):
            raise TrainingError(f"target {name!r}: {bad} of {len(values)} values are not finite")
        if np.abs(values).max() > LARGEST_FLOAT32:
            raise TrainingError(
                f"target {name!r}: values beyond {LARGEST_FLOAT32:.1e} cannot be learnt; rescale it"
            )
        return values
    codes = np.concatenate([split.window.codes(name, schema.classes or ()) for split in train])
    if bad := int(np.count_nonzero(codes < 0)):
        raise TrainingError(
            f"target {name!r}: {bad} of {len(codes)} labels are missing or none of "
            f"{list(schema.classes or ())}"
        )
    if len(np.unique(codes)) < 2:
        raise TrainingError(f"target {name!r}: the training rows hold one class only")
    return codes
