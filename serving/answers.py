"""How are a model's scores written as the JSON answer of ``/predict``?

Everything that is the same for each answer of a version is written once; a row costs one ``%``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelwarrant.windows import FeatureSchema

__all__ = ["Answers", "original_label", "render"]


def render(document: Any) -> bytes:
    """Return a document as compact JSON in ASCII."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")


class Answers:
    """Writes the answers of one version.

    Args:
        schema: task and classes.
        labels: the classes in the type they had in the source.
        identity: what every answer says about where it comes from.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        labels: Sequence[str | int | bool],
        identity: Mapping[str, Any],
    ) -> None:
        self._is_regression = schema.task == "regression"
        self._rows = [] if self._is_regression else _templates(schema.classes or (), labels)
        self._identity = render(identity).decode()[1:-1]

    def body(self, scores: npt.NDArray[np.float64], *, is_batch: bool, request_id: str) -> bytes:
        """Return the answer.

        Args:
            scores: (n, k) finite float64, as ``Scorer`` gives them.
            is_batch: several rows were asked for; n is 1 if not.
            request_id: of ``request_id_of``: it needs no escaping.
        """
        tail = f'{self._identity},"request_id":"{request_id}"}}'
        if not is_batch:
            return f"{self._row(scores[0].tolist())[:-1]},{tail}".encode("ascii")
        rows = ",".join(map(self._row, scores.tolist()))
        return f'{{"predictions":[{rows}],{tail}'.encode("ascii")

    def _row(self, scores: list[float]) -> str:
        if self._is_regression:
            return f'{{"prediction":{scores[0]!r}}}'
        return self._rows[scores.index(max(scores))] % tuple(scores)


def _templates(classes: Sequence[str], labels: Sequence[str | int | bool]) -> list[str]:
    """Return, for each predicted class, the row's JSON with a ``%r`` for each probability."""
    named = ",".join(f"{json.dumps(name).replace('%', '%%')}:%r" for name in classes)
    return [
        f'{{"prediction":{json.dumps(label).replace("%", "%%")},"probabilities":{{{named}}}}}'
        for label in labels
    ]


def original_label(label: str, kind: str) -> str | int | bool:
    """Give a label its source type back.

    >>> original_label("1", "integer"), original_label("true", "boolean")
    (1, True)
    >>> original_label("1", "text")
    '1'
    """
    if kind == "integer":
        return int(label)
    return label == "true" if kind == "boolean" else label
