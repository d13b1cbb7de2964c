"""Which model stands behind an answer, and what does the answer say?

A ``Served`` is made once, when a version was verified and loaded, and never changes: a request that
holds one gives an answer of one version only, whatever is promoted meanwhile.
"""

import copy
import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import Bundle
from modelwarrant.errors import BundleError, ContractError
from modelwarrant.windows import FeatureSchema
from serving.answers import Answers, original_label
from serving.bounds import Bounds
from serving.checks import example_row
from serving.inference import Inference
from serving.quick import QuickReader
from serving.rows import RowReader, Rows, mark_limit, parse_body

__all__ = ["Served"]

_SUM_TOLERANCE = 1e-5
"""How far a row's probabilities may add up beside 1, as a bundle says."""

_TIMED_ROWS = 64
"""Rows whose answers are timed when a version is loaded."""
_TIMES = 5


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
        """What reads the rows of a request and says what is wrong with them."""
        return RowReader(self.schema)

    @cached_property
    def quick(self) -> QuickReader:
        """What reads the rows of a plain request."""
        return QuickReader(self.schema, Bounds(self.schema))

    @cached_property
    def inference(self) -> Inference:
        """What reads and answers requests of the Open Inference Protocol."""
        return Inference(self.schema, self.labels, self.identity)

    @cached_property
    def labels(self) -> tuple[str | int | bool, ...]:
        """The classes in the type they had in the source."""
        kind = self.schema.class_kind
        return tuple(original_label(label, kind) for label in self.schema.classes or ())

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What every answer says about where it comes from."""
        return {
            "model": self.model,
            "version": self.version,
            "model_digest": self.bundle.digest,
            "decision_id": self.decision_id,
        }

    @cached_property
    def answers(self) -> Answers:
        """What writes the answers of ``/predict``."""
        return Answers(self.schema, self.labels, self.identity)

    @cached_property
    def row_seconds(self) -> float:
        """Time that the model takes for one row among several, measured when it is loaded.

        The shortest of a few counts: the others met what else the machine did.
        """
        rows = np.repeat(self._example().values, _TIMED_ROWS, axis=0)
        best = math.inf
        for _ in range(_TIMES):
            started = time.perf_counter()
            self.bundle.scorer.scores(rows)
            best = min(best, time.perf_counter() - started)
        return best / _TIMED_ROWS

    def moved(self, seq: int) -> Self:
        """Return the same version as another entry put it in production; nothing is made anew."""
        same = copy.copy(self)
        object.__setattr__(same, "seq", seq)
        return same

    def read(self, body: bytes, *, max_rows: int, problems_shown: int) -> Rows:
        """Return the rows of a body of ``/predict``.

        Raises:
            RecordError: the body is not JSON.
            RowError: it is, but not rows of this schema.
        """
        quickly = self.quick.read(body, max_rows=max_rows)
        if quickly is not None:
            return quickly
        document = parse_body(body, most_marks=mark_limit(self.schema, max_rows))
        return self.reader.read(document, max_rows=max_rows, problems_shown=problems_shown)

    def scores(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Answer for each row: (n, k) float64, finite.

        Raises:
            ContractError: the model has no finite answer for a row, for example because a number
                within its range overflows.
            BundleError: the model answers for no row at all.
        """
        try:
            scores = self.bundle.scorer.scores(rows.values)
            if not self._is_answer(scores):
                self.bundle.predict_rows(rows.values)  # says which row has none
        except BundleError as error:
            self.check()
            raise ContractError(f"the model has no answer for these values: {error}") from error
        return scores

    def check(self) -> None:
        """Let the model answer for its schema's own example.

        Raises:
            BundleError: it cannot, so whatever else it fails on, the request is not at fault.
        """
        self.bundle.predict_rows(self._example().values)

    def prepare(self) -> None:
        """Make everything that the first request would otherwise wait for.

        Raises:
            BundleError: the model does not answer for its schema's own example.
        """
        self.check()
        rows = self._example()
        self.answers.body(self.scores(rows), is_batch=False, request_id="ready")
        self.quick.read(b"{}", max_rows=1)
        self.inference.metadata()
        _ = self.row_seconds

    def _example(self) -> Rows:
        return self.reader.read(example_row(self.schema), max_rows=1, problems_shown=1)

    def _is_answer(self, scores: npt.NDArray[np.float64]) -> bool:
        """Whether these are numbers of a regression, or probabilities; in 1 us for one row."""
        if self.schema.task == "regression":
            return bool(np.isfinite(scores).all())
        if len(scores) == 1:
            row = scores[0].tolist()
            return bool(min(row) >= -_SUM_TOLERANCE and abs(sum(row) - 1.0) <= _SUM_TOLERANCE)
        sums = np.abs(scores.sum(axis=1) - 1.0)
        return bool((sums <= _SUM_TOLERANCE).all() and (scores >= -_SUM_TOLERANCE).all())
