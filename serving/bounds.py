"""Are encoded numbers within a schema, found in a few microseconds?

``modelwarrant.bundle.check_rows`` says which column and row is wrong, in 60 us for one row. Nearly
every request is right, and that much is known from two comparisons with arrays made once.
"""

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import check_rows
from modelwarrant.windows import Feature, FeatureSchema

__all__ = ["Bounds"]

_LARGEST = float(np.finfo(np.float64).max)


class Bounds:
    """The ranges of one schema's features as arrays."""

    def __init__(self, schema: FeatureSchema) -> None:
        self._schema = schema
        limits = [_limits(feature) for feature in schema.features]
        self._low = np.array([low for low, _ in limits])
        self._high = np.array([high for _, high in limits])
        self._may_miss = np.array([feature.missing for feature in schema.features])
        self._has_missing = bool(self._may_miss.any())

    def check(self, values: npt.NDArray[np.float64]) -> None:
        """Refuse encoded rows that break the schema; level codes and booleans must be whole.

        Args:
            values: (n, d) float64.

        Raises:
            ContractError: names the column and the first such row.
        """
        within = (values >= self._low) & (values <= self._high)  # False for NaN
        if within.all():
            return
        if self._has_missing and (within | (np.isnan(values) & self._may_miss)).all():
            return
        check_rows(values, self._schema)


def _limits(feature: Feature) -> tuple[float, float]:
    """Return finite bounds, so that one comparison also finds infinities."""
    if feature.kind == "boolean":
        return 0.0, 1.0
    if feature.kind == "category":
        return -1.0, len(feature.categories or ()) - 1.0
    low, high = feature.range or (None, None)
    return (-_LARGEST if low is None else low), (_LARGEST if high is None else high)
