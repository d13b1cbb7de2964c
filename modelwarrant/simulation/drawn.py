"""What does a drawn stream consist of, before it becomes a window?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.windows import FeatureSchema, Window, typed_window

__all__ = ["Drawn", "window_of"]

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Drawn:
    """Rows of a stream, oldest first.

    ``numbers`` and ``levels`` hold (n,) arrays by column, missing as NaN or None; ``target`` is
    (n,) float64 for a regression and (n,) text for a classification.
    """

    schema: FeatureSchema
    numbers: Mapping[str, Floats]
    levels: Mapping[str, Texts]
    target: Floats | Texts
    noise: Floats | None = None
    """(n,) float64: the loss that the true rule itself pays on each row (log loss, or squared
    error); None where nobody knows the rule."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.target)


def window_of(drawn: Drawn) -> Window:
    """Return the rows as a window; its order is their number."""
    columns: dict[str, pa.Array] = {}
    for feature in drawn.schema.features:
        if feature.name in drawn.numbers:
            columns[feature.name] = pa.array(drawn.numbers[feature.name], from_pandas=True)
        else:
            columns[feature.name] = pa.array(drawn.levels[feature.name].tolist(), pa.string())
    name = drawn.schema.target
    if name is not None:
        is_text = drawn.schema.task == "classification"
        columns[name] = (
            pa.array(drawn.target.tolist(), pa.string()) if is_text else pa.array(drawn.target)
        )
    return typed_window(pa.table(columns), drawn.schema.model_copy(update={"time": None}))
