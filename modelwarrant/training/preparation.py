"""How do encoded rows become the dense matrix that linear models and forests need?

Missing numbers become the median, with a column that says so; a category is one column a level
(``one_hot``) or its code. The same steps exist twice, in numpy and as ONNX nodes, and the parity
gate compares them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from modelwarrant.errors import TrainingError
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import LARGEST_FLOAT32
from modelwarrant.training.graph import Graph

__all__ = ["Preparation", "prepare"]

Floats = npt.NDArray[np.float64]

_MISSING_CODE = -2.0
"""Code of a missing category, below that of an unseen one."""


@dataclass(frozen=True)
class Preparation:
    """Fitted steps from encoded rows (n, d) to a matrix without missing values."""

    numbers: tuple[int, ...]
    """Positions of number, boolean and time features."""
    medians: Floats
    centers: Floats
    scales: Floats
    indicators: tuple[int, ...]
    """Positions of features that may be missing; each gives a column of 0 and 1."""
    categories: tuple[tuple[int, int], ...]
    """Position and number of levels of each category."""
    one_hot: bool

    def matrix(self, rows: Floats) -> Floats:
        """Return the prepared rows, (n, k) float64."""
        numbers = rows[:, self.numbers]
        filled = np.where(np.isnan(numbers), self.medians, numbers)
        parts = [(filled - self.centers) / self.scales]
        if self.indicators:
            parts.append(np.isnan(rows[:, self.indicators]).astype(np.float64))
        for position, n_levels in self.categories:
            column = rows[:, [position]]
            if self.one_hot:
                parts.append((column == np.arange(n_levels)).astype(np.float64))
            else:
                parts.append(np.where(np.isnan(column), _MISSING_CODE, column))
        return np.concatenate(parts, axis=1)

    def encoded(self, matrix: Floats) -> Floats:
        """Return encoded rows that give this matrix, (n, d); not for ``one_hot``.

        A matrix that no row gives (an indicator beside a number that is no median) comes back as
        the row that its missing values say.
        """
        n_numbers = len(self.numbers)
        rows = np.empty((len(matrix), n_numbers + len(self.categories)))
        rows[:, self.numbers] = matrix[:, :n_numbers] * self.scales + self.centers
        codes = matrix[:, n_numbers + len(self.indicators) :]
        for place, (position, _) in enumerate(self.categories):
            rows[:, position] = np.where(codes[:, place] == _MISSING_CODE, np.nan, codes[:, place])
        for place, position in enumerate(self.indicators):
            rows[matrix[:, n_numbers + place] > 0.5, position] = np.nan
        return rows

    def add_to(self, graph: Graph) -> str:
        """Add the same steps to a graph; return the matrix, [None, k] double.

        A step that would change nothing is left out: each takes half a microsecond of a request.
        """
        parts = []
        if self.numbers:
            numbers = graph.columns(self.numbers)
            if not set(self.numbers).isdisjoint(self.indicators):
                is_missing = graph.add("IsNaN", numbers)
                numbers = graph.add("Where", is_missing, graph.constant(self.medians), numbers)
            if self.centers.any():
                numbers = graph.add("Sub", numbers, graph.constant(self.centers))
            if (self.scales != 1.0).any():
                numbers = graph.add("Div", numbers, graph.constant(self.scales))
            parts.append(numbers)
        if self.indicators:
            held = graph.add("IsNaN", graph.columns(self.indicators))
            parts.append(graph.add("Cast", held, to=TensorProto.DOUBLE))
        for position, n_levels in self.categories:
            column = graph.columns([position])
            if self.one_hot and n_levels == 0:
                continue
            if self.one_hot:
                levels = graph.constant(np.arange(n_levels, dtype=np.float64)[None, :])
                is_level = graph.add("Equal", column, levels)
                parts.append(graph.add("Cast", is_level, to=TensorProto.DOUBLE))
            else:
                is_missing = graph.add("IsNaN", column)
                parts.append(
                    graph.add("Where", is_missing, graph.constant([_MISSING_CODE]), column)
                )
        return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def prepare(examples: Examples, *, one_hot: bool, scale: bool) -> Preparation:
    """Fit the steps to examples.

    Args:
        examples: what is trained on.
        one_hot: a column a level instead of the level's code.
        scale: give every number mean 0 and standard deviation 1.

    Raises:
        TrainingError: a number is too large for the estimators, or no column is left.
    """
    features = examples.schema.features
    numbers = tuple(i for i, feature in enumerate(features) if feature.kind != "category")
    values = examples.rows[:, numbers]
    _check_sizes(examples, numbers)
    medians = np.zeros(len(numbers))
    for place in range(len(numbers)):
        known = values[~np.isnan(values[:, place]), place]
        medians[place] = np.median(known) if len(known) else 0.0
    filled = np.where(np.isnan(values), medians, values)
    centers = filled.mean(axis=0) if scale else np.zeros(len(numbers))
    spreads = filled.std(axis=0) if scale else np.ones(len(numbers))
    prepared = Preparation(
        numbers=numbers,
        medians=medians,
        centers=centers,
        scales=np.where(spreads > 0, spreads, 1.0),
        indicators=tuple(i for i, feature in enumerate(features) if feature.missing),
        categories=tuple(
            (i, len(feature.categories or ()))
            for i, feature in enumerate(features)
            if feature.kind == "category"
        ),
        one_hot=one_hot,
    )
    if prepared.matrix(examples.rows[:1]).shape[1] == 0:
        raise TrainingError(
            "no feature gives a column to learn from: every category lists no levels; list them, "
            "or leave 'categories' out and they are learnt"
        )
    return prepared


def _check_sizes(examples: Examples, numbers: tuple[int, ...]) -> None:
    """Refuse numbers that overflow in the estimators' float32."""
    too_large = np.abs(examples.rows) > LARGEST_FLOAT32
    for position in numbers:
        if bad := int(too_large[:, position].sum()):
            raise TrainingError(
                f"column {examples.schema.features[position].name!r}: {bad} of "
                f"{len(too_large)} values lie beyond {LARGEST_FLOAT32:.1e}, which this recipe "
                "cannot learn from; correct or rescale them, or use hist_gradient_boosting"
            )
