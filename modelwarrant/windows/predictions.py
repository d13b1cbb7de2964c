"""What did a model answer for the rows of a window?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.windows.schema import Task

__all__ = ["Predictions"]


@dataclass(frozen=True)
class Predictions:
    """A model's answers, one a row, in the rows' order.

    ``values`` is (n_rows, n_classes) float64 of probabilities that add to 1 (classification,
    columns in the order of ``classes``), or (n_rows,) float64 of finite predictions (regression).
    ``order`` is (n_rows,) int64 of each row's instant; None where no time is known.
    """

    task: Task
    values: npt.NDArray[np.float64]
    classes: tuple[str, ...] = ()
    order: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Most probable class of each row, as an index into ``classes``; the first on a tie."""
        return np.asarray(np.argmax(self.values, axis=1), dtype=np.int64)

    def take(self, rows: npt.NDArray[np.int64]) -> "Predictions":
        """Return the predictions of these rows, in that order."""
        order = None if self.order is None else self.order[rows]
        return Predictions(self.task, self.values[rows], self.classes, order)
