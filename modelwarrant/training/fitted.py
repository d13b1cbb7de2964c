"""What does a recipe give back: answers, a graph, and the places where the two could part?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["LARGEST_FLOAT32", "Fitted", "Floats", "Ints"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
"""3.4e38: scikit-learn's forests refuse larger numbers, and boosting's gradients end there."""


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator, from encoded rows to answers, and the ONNX bytes made of it."""

    answer: Callable[[Floats], Floats]
    """Encoded rows (n, d) to (n, k) probabilities or (n, 1) predictions, by the estimator."""
    onnx: bytes
    path: Literal["double", "float32"]
    """``float32`` where a library converted it: its answers are rounded."""
    probes: tuple[Floats, Ints] | None = None
    """Encoded rows at which the answer jumps, and the position of the feature that makes it jump;
    None where nothing is known of such places."""
    largest: float = np.inf
    """Magnitude up to which the estimator itself answers; parity compares nothing beyond."""
