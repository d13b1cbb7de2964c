"""Small seeded windows of every kind of column, for fitting."""

from typing import Any, Literal

import numpy as np
import pyarrow as pa

from modelwarrant.records import Recipe
from modelwarrant.training.examples import Examples, examples_of
from modelwarrant.windows import Feature, FeatureSchema, Task, TrainingSplit, typed_window

CLASSES = {"binary": ("no", "yes"), "multi": ("a", "b", "c")}
LEVELS = ("blue", "green", "never", "red")

Target = Literal["binary", "multi", "regression"]

QUICK: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"max_iter": 8, "min_samples_leaf": 5},
    "random_forest": {"n_estimators": 6},
    "linear": {},
}
"""Parameters that make each built-in recipe fit in milliseconds."""


def recipe(model: str, **parameters: Any) -> Recipe:
    """Return a recipe, quick unless told otherwise."""
    return Recipe(model=model, seed=3, parameters={**QUICK.get(model, {}), **parameters})


def schema_of(target: Target, *features: Feature) -> FeatureSchema:
    """Return a schema of these features for one of the three kinds of target."""
    task: Task = "regression" if target == "regression" else "classification"
    return FeatureSchema(features=features, task=task, target="y", classes=CLASSES.get(target))


def split_of(schema: FeatureSchema, columns: dict[str, Any]) -> TrainingSplit:
    """Return the columns as a training split."""
    return TrainingSplit(typed_window(pa.table(columns), schema))


def targets_of(target: Target, signal: np.ndarray, rng: np.random.Generator) -> list[Any]:
    """Return noisy labels or values that follow a signal."""
    noisy = signal + rng.normal(size=len(signal)) * 0.3
    if target == "regression":
        return list(noisy)
    classes = CLASSES[target]
    cuts = np.quantile(noisy, np.linspace(0, 1, len(classes) + 1)[1:-1])
    return [classes[code] for code in np.searchsorted(cuts, noisy)]


def mixed(
    target: Target, *, missing: bool = False, listed: bool = True, n_rows: int = 240
) -> tuple[TrainingSplit, FeatureSchema]:
    """Return rows with two numbers, a unix time, a category, a boolean and an instant.

    Where levels are listed, one of them stands in no row and one that stands in rows is unlisted.
    """
    rng = np.random.default_rng(11)
    size, age = rng.normal(size=n_rows), rng.integers(0, 90, n_rows).astype(float)
    unix = 1.7e9 + rng.integers(0, 90_000, n_rows).astype(float)
    colour = rng.choice(["blue", "green", "red", "unlisted"], n_rows)
    is_new = rng.random(n_rows) < 0.5
    instants = (rng.integers(0, 10**9, n_rows) + 1_600_000_000) * 1_000_000
    signal = size + np.where(colour == "red", 2.0, 0.0) + is_new + (unix - 1.7e9) / 45_000
    holes = rng.random((6, n_rows)) < (0.15 if missing else 0.0)

    def column(values: Any, place: int, type_: pa.DataType) -> pa.Array:
        return pa.array(list(values), type_, mask=holes[place])

    columns = {
        "size": column(size, 0, pa.float64()),
        "age": column(age, 1, pa.float64()),
        "unix": column(unix, 2, pa.float64()),
        "colour": column(colour, 3, pa.string()),
        "is_new": column(is_new, 4, pa.bool_()),
        "seen": column(instants.tolist(), 5, pa.timestamp("us", tz="UTC")),
        "y": targets_of(target, signal, rng),
    }
    schema = schema_of(
        target,
        Feature(name="size", kind="number", missing=missing),
        Feature(name="age", kind="number", missing=missing, range=(0.0, 120.0)),
        Feature(name="unix", kind="number", missing=missing),
        Feature(
            name="colour", kind="category", missing=missing, categories=LEVELS if listed else None
        ),
        Feature(name="is_new", kind="boolean", missing=missing),
        Feature(name="seen", kind="time", missing=missing),
    )
    return split_of(schema, columns), schema


def mixed_examples(target: Target, *, missing: bool = True) -> Examples:
    """Return ``mixed`` rows, encoded."""
    split, schema = mixed(target, missing=missing)
    return examples_of([split], schema)
