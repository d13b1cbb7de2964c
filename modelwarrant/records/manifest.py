"""What made this model?"""

from typing import Any, Literal

from pydantic import Field

from modelwarrant.records.base import Part, Record
from modelwarrant.records.window import WindowRef

__all__ = ["BUNDLE_FILES", "ModelManifest", "ParityReport", "Recipe"]

BUNDLE_FILES = ("model.onnx", "schema.json", "manifest.json")
"""The files of a model's bundle: in a folder, in a package and among an entry's blobs."""


class Recipe(Part):
    """How a model is fitted: a built-in name, or the import path of a scikit-learn estimator."""

    model: str
    """``hist_gradient_boosting``, ``random_forest``, ``linear`` or ``package.module:Estimator``."""
    seed: int = 0
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the estimator; JSON values."""


class ParityReport(Part):
    """The ONNX model's answers against the fitted estimator's."""

    rows: int
    hard_rows: int
    """Rows made to be difficult: thresholds +- 1 ulp, missing, huge, unseen levels."""
    label_differences: int
    ties: int
    """Label differences where the two top scores differ by less than the tolerance."""
    max_difference: float
    tolerance: float
    path: Literal["double", "float32"]


class ModelManifest(Record):
    """Everything that made a model. The decision names the manifest, never the other way round."""

    schema_version: Literal[1] = 1
    model: str
    model_digest: str
    """Digest of ``model.onnx``."""
    feature_schema_digest: str
    levels_learned: tuple[str, ...] = ()
    """Categories whose levels the project left open and training listed."""
    recipe: Recipe
    train: Literal["current", "both", "own"]
    current: WindowRef
    reference: WindowRef | None
    """The reference window of the run; its training split was used where ``train`` is ``both``."""
    own: WindowRef | None = None
    """The window of its own that the model was trained on, where ``train`` is ``own``."""
    training_digest: str
    """Digest of exactly the rows that were fitted."""
    training_rows: int
    training_metrics: dict[str, float]
    parity: ParityReport
    run: str
    requester: str
    code_commit: str | None
    """Commit of the project folder; None outside git."""
    code_dirty: bool | None
    lock_digest: str
    """Digest of the installed distributions' names and versions."""
    image_digest: str | None
    """None on a laptop."""
    cpu: str
    """Machine and CPU family: the same digest is promised on this one only."""
    engine_version: str
    """Version of modelwarrant."""
