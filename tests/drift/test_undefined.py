"""Every number of a report is there, or its reason is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelwarrant import drift
from modelwarrant.drift.labelled import Labelled
from modelwarrant.drift.residuals import Residuals, residual_drift
from modelwarrant.records import DriftReport
from modelwarrant.windows import Predictions
from tests.drift.test_labelled import classification, regression

WORDS = {"reason", "distribution", "column", "method", "lower", "upper"}
"""What may be null without a reason: words, plots, an open end of a decile."""


def frame(seed: int, rows: int = 900) -> pd.DataFrame:
    """Return a number, a category and a flag."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "c": random.choice(list("abc"), rows),
            "b": random.random(rows) < 0.4,
        }
    )


def silent(value: Any, path: str = "") -> Iterator[str]:
    """Yield where a null has no reason, or a reason stands beside a number that is there."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from silent(item, f"{path}[{place}]")
    if not isinstance(value, dict):
        return
    reasons = value.get("undefined", {})
    nulls = {name for name, item in value.items() if item is None} - WORDS
    yield from (f"{path}.{name}" for name in nulls if not reasons.get(name))
    yield from (f"{path}.{name} is there" for name in reasons if value[name] is not None)
    for name, item in value.items():
        yield from silent(item, f"{path}.{name}")


def check(report: DriftReport) -> None:
    """Walk the document as ``--json`` writes it."""
    assert [] == list(silent(report.model_dump(mode="json")))


CURRENT: dict[str, pd.DataFrame] = {
    "alike": frame(2),
    "all missing": frame(2).assign(x=np.nan, c=None),
    "constant": frame(2).assign(x=1.0, c="a", b=True),
    "infinite": frame(2).assign(x=np.inf),
    "unseen": frame(2).assign(c="z"),
    "identifier": frame(2).assign(c=[f"id {i}" for i in range(900)]),
    "a text in a number": frame(2).assign(x="1.5 EUR"),
    "a column less": frame(2).drop(columns="x"),
    "one row": frame(2, rows=1),
    "no row": frame(2, rows=0),
}


@pytest.mark.parametrize("name", CURRENT)
def test_without_a_model(name: str) -> None:
    """Against a quiet reference, and the other way round."""
    check(drift.compare(frame(1), CURRENT[name]))
    check(drift.compare(CURRENT[name], frame(1)))


def test_what_was_not_given_is_named() -> None:
    """No model, no labels, no season."""
    report = drift.compare(frame(1), frame(2))

    assert {
        "predictions",
        "labelled",
        "drifted_weight",
        "season",
        "production_digest",
    } == set(report.undefined)


def answers(seed: int, classes: int, rows: int = 900) -> Predictions:
    """Return a regression's answers, or probabilities of so many classes."""
    random = np.random.default_rng(seed)
    if not classes:
        return Predictions("regression", random.normal(size=rows))
    shares = random.dirichlet([1.0] * classes, rows)
    return Predictions("classification", shares, tuple("abcd"[:classes]))


@pytest.mark.parametrize("has_labels", [True, False])
@pytest.mark.parametrize("rows", [900, 0])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_with_answers(classes: int, rows: int, has_labels: bool) -> None:
    """Of a regression and of classes, with and without labels for BBSE."""
    scores = answers(1, classes), answers(2, classes, rows)
    labels = np.zeros(900, dtype=np.int64) if has_labels and classes else None
    check(drift.compare(frame(1), frame(2), scores=scores, reference_labels_for_scores=labels))


def sure(seed: int) -> Labelled:
    """Return rows whose model says probabilities of 0 and 1."""
    rows = classification(seed)
    values = np.round(rows.predictions.values)
    return replace(rows, predictions=replace(rows.predictions, values=values))


LABELLED: dict[str, tuple[Labelled, Labelled]] = {
    "regression": (regression(1), regression(2)),
    "few values": (regression(1, rows=600), regression(2, rows=520)),
    "a perfect model": (regression(1, spread=0.0), regression(2)),
    "too few labels": (regression(1), regression(2, rows=40)),
    "classes": (classification(1), classification(2)),
    "sure of everything": (sure(1), sure(2)),
    "too few classes": (classification(1), classification(2, rows=40)),
}


@pytest.mark.parametrize("name", LABELLED)
def test_with_labels(name: str) -> None:
    """P3, P4, the loss and its slices."""
    check(drift.compare(frame(1), frame(2), labelled=LABELLED[name]))


def test_residuals_of_few_groups_are_unknown() -> None:
    """Fewer than ten groups of rows give no error, and no 'none' either."""
    random = np.random.default_rng(1)
    reference, current = (
        Residuals(random.normal(size=600), random.normal(size=600), np.arange(600) % 9)
        for _ in range(2)
    )
    found = residual_drift(reference, current, alpha=0.01)

    assert ("unknown", None, None) == (found.level, found.bias_p_value, found.variance_p_value)
    assert "fewer than 10 groups of rows" == found.reason
