"""What is served equals what scikit-learn says, on 10,000 rows of real streams."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from modelwarrant.bundle import encode, open_bundle
from modelwarrant.records import Recipe
from modelwarrant.sources import infer, read_table
from modelwarrant.training import BUILT_IN
from modelwarrant.training.examples import examples_of
from modelwarrant.training.recipes import fit_recipe
from modelwarrant.windows import FeatureSchema, TrainingSplit, Window, typed_window
from serving.served import Served
from tests.serving.tiny import bundle_files

DATA = Path(os.environ.get("WARRANT_STREAMS", Path(__file__).parents[3] / "shared" / "data"))
ROWS = 10_000
TRAINED = 4000
SENT = 400
"""Rows that go the whole way through JSON."""

TARGETS = {
    "adult_control": "income",
    "beijing_pm25": "pm25",
    "bike_sharing_hour": "cnt",
    "electricity_elec2": "class",
    "nycflights_2013_sample": "delayed15",
}


@dataclass(frozen=True)
class Stream:
    """Rows with values taken out, and what their columns are."""

    schema: FeatureSchema
    train: Window
    asked: Window


def stream(name: str, target: str, *, multi: bool = False) -> Stream:
    """Return a stream's windows; one value in nine is taken out of every feature but booleans.

    Args:
        name: the file.
        target: its column to predict.
        multi: cut a number to predict into four classes.
    """
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path}; WARRANT_STREAMS names the folder of the streams")
    table = read_table(str(path), base=DATA)
    table = table.filter(table[target].is_valid())
    guess = infer(table, target=target).schema
    if multi:
        values = np.array(table[target].to_pylist(), dtype=np.float64)
        codes = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)
        table = table.set_column(
            table.column_names.index(target), target, pa.array([f"q{code}" for code in codes])
        )
        guess = guess.model_copy(
            update={"task": "classification", "classes": ("q0", "q1", "q2", "q3")}
        )
    features = [
        feature.model_copy(update={"missing": True, "range": None, "categories": None})
        for feature in guess.features
    ]
    schema = guess.model_copy(update={"features": tuple(features), "time": None})
    rng = np.random.default_rng(7)
    for feature in features:
        kept = pa.array(rng.random(len(table)) > 1 / 9)
        column = pa.compute.if_else(kept, table[feature.name], None)
        table = table.set_column(table.column_names.index(feature.name), feature.name, column)
    places = rng.choice(np.arange(TRAINED, len(table)), size=ROWS, replace=False)
    return Stream(
        schema,
        typed_window(table.slice(0, TRAINED), schema),
        typed_window(table.take(pa.array(np.sort(places))), schema),
    )


def served_model(given: Stream, recipe: str) -> tuple[Served, Any]:
    """Fit a recipe; return what serves it, and the estimator's own answers."""
    examples = examples_of([TrainingSplit(given.train)], given.schema)
    chosen = Recipe(model=recipe, parameters={"n_estimators": 40} if "forest" in recipe else {})
    fitted = fit_recipe(chosen, examples)
    bundle = open_bundle(bundle_files(examples.schema, fitted.onnx), name="stream")
    digest = "sha256:" + "d" * 64
    return Served(model="flights", version=1, decision_id=digest, seq=2, bundle=bundle), fitted


def requests(window: Window, schema: FeatureSchema, count: int) -> list[dict[str, Any]]:
    """Return the first rows as a client would send them."""
    rows = window.table.slice(0, count).select(list(schema.names)).to_pylist()
    return [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in row.items()
        }
        for row in rows
    ]


def assert_equal(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
    """Compare scores: within 1e-9 of each other's size, and the same label."""
    allowed = 1e-9 * np.maximum(1.0, np.abs(expected))
    assert (np.abs(expected - found) <= allowed).all()
    if expected.shape[1] > 1:
        first, second = np.sort(expected, axis=1)[:, -1], np.sort(expected, axis=1)[:, -2]
        is_clear = first - second > 1e-9  # ties may fall either way
        assert (expected.argmax(axis=1) == found.argmax(axis=1))[is_clear].all()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("recipe", BUILT_IN)
@pytest.mark.parametrize(
    ("name", "multi"), [(name, False) for name in TARGETS] + [("beijing_pm25", True)]
)
def test_answers_equal_the_estimators(name: str, multi: bool, recipe: str) -> None:
    """Binary, multi-class and regression; categories, unseen levels and missing values included."""
    given = stream(name, TARGETS[name], multi=multi)
    served, fitted = served_model(given, recipe)
    rows = encode(given.asked, served.schema)

    assert_equal(fitted.answer(rows), served.bundle.scorer.scores(rows))

    body = json.dumps({"rows": requests(given.asked, served.schema, SENT)}).encode()
    read = served.read(body, max_rows=SENT, problems_shown=3)
    np.testing.assert_array_equal(rows[:SENT], read.values)
    assert_equal(fitted.answer(rows[:SENT]), served.scores(read))
