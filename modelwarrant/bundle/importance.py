"""How much does a model lean on each feature?"""

from typing import TYPE_CHECKING

import numpy as np

from modelwarrant.bundle.encoding import encode
from modelwarrant.bundle.model import Bundle

if TYPE_CHECKING:
    from modelwarrant.windows import Window

__all__ = ["permutation_weights"]

_MOST_ROWS = 2000
"""Enough for two digits of a mean; the cost is one prediction of these rows a feature."""


def permutation_weights(bundle: Bundle, window: "Window", *, seed: int = 0) -> dict[str, float]:
    """Return each feature's share of the change in the model's answers when it is shuffled.

    Permutation importance (Breiman 2001) of the answers instead of the loss: it needs no labels,
    and says how far a shift in the feature can reach into the predictions.

    Args:
        bundle: the model.
        window: rows the model was not trained on; at most 2,000 of them, in canonical order.
        seed: of the shuffles.

    Returns:
        Weights in [0, 1] that add to 1; all 0 where the model's answers never change, or where the
        window has no rows.
    """
    from modelwarrant.windows import canonical_order

    rows = encode(window.take(canonical_order(window)[:_MOST_ROWS]), bundle.schema)
    answers = bundle.predict_rows(rows).values
    rng = np.random.default_rng(seed)
    changes = {}
    for column, name in enumerate(bundle.schema.names):
        shuffled = rows.copy()
        shuffled[:, column] = rng.permutation(rows[:, column])
        changes[name] = float(np.abs(bundle.predict_rows(shuffled).values - answers).sum())
    total = sum(changes.values())
    return {name: change / total if total > 0 else 0.0 for name, change in changes.items()}
