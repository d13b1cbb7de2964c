"""Which model stands behind an answer, and what does the answer say?

A ``Served`` is made once, when a version was verified and loaded, and never changes: a request that
holds one gives an answer of one version only, whatever is promoted meanwhile.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelwarrant.bundle import Bundle
from modelwarrant.errors import BundleError, ContractError
from modelwarrant.windows import FeatureSchema, Predictions
from serving.checks import example_row
from serving.rows import RowReader, Rows

__all__ = ["Served"]


@dataclass(frozen=True)
class Served:
    """One verified version, ready to answer."""

    model: str
    version: int
    """Sequence number of the entry that registered it."""
    decision_id: str
    """Digest of the decision that allowed it."""
    seq: int
    """Sequence number of the entry that put it in production."""
    bundle: Bundle

    @property
    def schema(self) -> FeatureSchema:
        """The columns a request must name."""
        return self.bundle.schema

    @cached_property
    def reader(self) -> RowReader:
        """What reads the rows of a request."""
        return RowReader(self.schema)

    @cached_property
    def labels(self) -> tuple[str | int | bool, ...]:
        """The classes in the type they had in the source."""
        kind = self.schema.class_kind
        return tuple(_original(label, kind) for label in self.schema.classes or ())

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What every answer says about where it comes from."""
        return {
            "model": self.model,
            "version": self.version,
            "model_digest": self.bundle.digest,
            "decision_id": self.decision_id,
        }

    def predict(self, rows: Rows) -> Predictions:
        """Answer for each row.

        Raises:
            ContractError: the model has no finite answer for a row, for example because a number
                within its range overflows.
            BundleError: the model answers for no row at all.
        """
        try:
            return self.bundle.predict_rows(rows.encoded())
        except BundleError as error:
            self.check()
            raise ContractError(f"the model has no answer for these values: {error}") from error

    def check(self) -> None:
        """Let the model answer for its schema's own example.

        Raises:
            BundleError: it cannot, so whatever else it fails on, the request is not at fault.
        """
        example = self.reader.read(example_row(self.schema), max_rows=1, problems_shown=1)
        self.bundle.predict_rows(example.encoded())

    def answers(self, predictions: Predictions) -> list[dict[str, Any]]:
        """Return one JSON object a row: the prediction, and probabilities by class."""
        if predictions.task == "regression":
            return [{"prediction": value} for value in predictions.values.tolist()]
        return [
            {
                "prediction": self.labels[code],
                "probabilities": dict(zip(predictions.classes, scores, strict=True)),
            }
            for code, scores in zip(
                predictions.codes.tolist(), predictions.values.tolist(), strict=True
            )
        ]


def _original(label: str, kind: str) -> str | int | bool:
    """Give a label its source type back.

    >>> _original("1", "integer"), _original("true", "boolean"), _original("1", "text")
    (1, True, '1')
    """
    if kind == "integer":
        return int(label)
    return label == "true" if kind == "boolean" else label
