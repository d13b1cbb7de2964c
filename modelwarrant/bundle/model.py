"""What does a bundle answer for the rows of a window?"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle.encoding import check_rows, encode
from modelwarrant.bundle.scorer import Scorer
from modelwarrant.errors import BundleError
from modelwarrant.records import ModelManifest
from modelwarrant.windows import FeatureSchema, Predictions

if TYPE_CHECKING:
    from modelwarrant.windows import Window

__all__ = ["Bundle"]

_SUM_TOLERANCE = 1e-5
"""How far a row's probabilities may add up beside 1: the float32 path rounds each to 6e-8."""


@dataclass(frozen=True)
class Bundle:
    """A loaded model with its schema and manifest."""

    schema: FeatureSchema
    manifest: ModelManifest
    scorer: Scorer

    @property
    def digest(self) -> str:
        """Digest of ``model.onnx``."""
        return self.manifest.model_digest

    @property
    def declared_schema(self) -> FeatureSchema:
        """The schema as the project declared it, before training listed open categories."""
        learned = self.manifest.levels_learned
        features = tuple(
            feature.model_copy(update={"categories": None}) if feature.name in learned else feature
            for feature in self.schema.features
        )
        return self.schema.model_copy(update={"features": features})

    def predict(self, window: "Window") -> Predictions:
        """Return the answers for a window's rows; its columns are found by name.

        Raises:
            SchemaMismatchError: a feature is absent or of another kind.
            ContractError: a value breaks the schema: missing where none may be, infinite or
                outside its range; the message names the column. Unseen levels are allowed.
            BundleError: the model answered with something that is no prediction.
        """
        answers = self._predictions(encode(window, self.schema))
        return answers if window.schema.time is None else replace(answers, order=window.order)

    def predict_rows(self, rows: npt.NDArray[np.float64]) -> Predictions:
        """Return the answers for (n, d) float64 encoded rows; see ``encode_columns``.

        Raises:
            SchemaMismatchError: the array has another shape.
            ContractError: as for ``predict``.
            BundleError: as for ``predict``.
        """
        check_rows(rows, self.schema)
        return self._predictions(rows)

    def _predictions(self, rows: npt.NDArray[np.float64]) -> Predictions:
        scores = self.scorer.scores(rows)
        finite = np.isfinite(scores).all(axis=1)
        if not finite.all():
            raise BundleError(f"model.onnx: no finite answer for row {int(np.argmin(finite))}")
        if self.schema.task == "regression":
            return Predictions("regression", scores[:, 0])
        off = np.abs(scores.sum(axis=1) - 1.0) > _SUM_TOLERANCE
        if off.any() or (scores < -_SUM_TOLERANCE).any():
            row = int(np.argmax(off | (scores < -_SUM_TOLERANCE).any(axis=1)))
            raise BundleError(f"model.onnx: the answer for row {row} is no probability")
        return Predictions("classification", scores, self.schema.classes or ())
