"""Worlds whose law is known: a reference, a window that moved, and a model that is not right."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.drift import compare
from modelwarrant.estimation import Answered, Estimated, estimate_performance
from modelwarrant.evaluation.losses import Truth, row_losses
from modelwarrant.records import DriftReport
from modelwarrant.windows import Feature, FeatureSchema, Predictions, Window, typed_window

DIGEST = "sha256:" + "5" * 64
FEATURES = tuple(Feature(name=f"x{place}", kind="number") for place in range(4))
CLASSES = ("no", "yes")
BINARY = FeatureSchema(features=FEATURES, task="classification", target="y", classes=CLASSES)
NUMBERS = FeatureSchema(features=FEATURES, task="regression", target="y")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A drawn reference and window, with the window's true targets kept apart."""

    reference: Answered
    current: Answered
    drift: DriftReport
    truth: Truth
    """Of the window."""

    def estimate(self, metric: str, **more: float) -> Estimated:
        """Estimate the window's loss."""
        return estimate_performance(
            self.reference,
            self.current,
            self.drift,
            metric=metric,
            production_digest=DIGEST,
            **more,
        )

    def realised(self, metric: str, bound: float) -> float:
        """Return the window's mean loss, clipped."""
        losses = row_losses(self.current.predictions.values, self.truth, metric=metric)
        return float(np.minimum(losses, bound).mean())


def binary(
    seed: int,
    *,
    rows: tuple[int, int] = (2000, 2000),
    shift: float = 0.0,
    concept: float = 0.0,
) -> World:
    """Draw a classification whose model is too sure of itself and overlooks a wave.

    Args:
        seed: of the draws.
        rows: of reference and window.
        shift: how far the first feature moves towards where classes are hard to tell.
        concept: how much of the first feature's pull is gone.
    """
    random = np.random.default_rng(seed)
    first, second = (random.standard_normal((size, 4)) for size in rows)
    first[:, 0] += 1.0
    second[:, 0] += 1.0 - shift
    labels = []
    for x, lost in ((first, 0.0), (second, concept)):
        pull = (1.5 - lost) * x[:, 0] + np.sin(2 * x[:, 1]) - 0.5 * np.maximum(x[:, 2], 0)
        labels.append((random.random(len(x)) < 1 / (1 + np.exp(-pull))).astype(np.int64))
    answers = []
    for x in (first, second):
        said = 1 / (1 + np.exp(-(2.0 * x[:, 0] + 0.5 * x[:, 1] - 0.2)))
        answers.append(Predictions("classification", np.column_stack([1 - said, said]), CLASSES))
    reference = window(first, BINARY, [CLASSES[code] for code in labels[0]])
    truth = Truth("classification", labels[1], np.zeros(0), CLASSES)
    return _world(reference, window(second, BINARY), answers, truth, codes=labels[0])


def regression(
    seed: int,
    *,
    rows: tuple[int, int] = (2000, 2000),
    shift: float = 0.0,
    concept: float = 0.0,
) -> World:
    """Draw a regression whose noise grows with the first feature.

    Args:
        seed: of the draws.
        rows: of reference and window.
        shift: how far the first feature moves to where noise is louder.
        concept: pull of the second feature that the model does not know.
    """
    random = np.random.default_rng(seed)
    first, second = (random.standard_normal((size, 4)) for size in rows)
    second[:, 0] += shift
    targets = []
    for x, pull in ((first, 0.0), (second, concept)):
        noise = random.standard_normal(len(x)) * np.exp(0.5 * x[:, 0])
        targets.append(2 * x[:, 0] + np.sin(2 * x[:, 1]) + pull * x[:, 1] + noise)
    answers = [Predictions("regression", 1.9 * x[:, 0] + 0.1) for x in (first, second)]
    truth = Truth("regression", np.zeros(0, dtype=np.int64), targets[1])
    reference = window(first, NUMBERS, targets[0])
    return _world(reference, window(second, NUMBERS), answers, truth)


def window(x: Floats, schema: FeatureSchema, target: object = None) -> Window:
    """Return rows as a window, with or without a target."""
    columns: dict[str, object] = {f"x{place}": x[:, place] for place in range(4)}
    if target is not None:
        columns["y"] = target
    return typed_window(pa.table(columns), schema)


def _world(
    reference: Window,
    current: Window,
    answers: list[Predictions],
    truth: Truth,
    *,
    codes: npt.NDArray[np.int64] | None = None,
) -> World:
    drift = compare(
        reference,
        current,
        scores=(answers[0], answers[1]),
        reference_labels_for_scores=codes,
    )
    return World(Answered(reference, answers[0]), Answered(current, answers[1]), drift, truth)
