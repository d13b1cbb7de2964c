"""Which data set that comes with scikit-learn does ``sklearn://name`` mean?

Nothing is downloaded: ``california_housing`` is read only where an earlier download left it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import SourceError

__all__ = ["EXAMPLES", "ExamplePart", "open_example"]

EXAMPLES = ("breast_cancer", "california_housing", "diabetes", "digits", "iris", "wine")
"""The names; each has a column ``target``."""


@dataclass(frozen=True)
class ExamplePart:
    """One data set, in memory."""

    uri: str
    digest: str
    table: pa.Table


def open_example(source: str) -> ExamplePart:
    """Load a data set: its features under their own names, then ``target``.

    Args:
        source: ``sklearn://name``.

    Raises:
        SourceError: no such data set, or not on this machine.
    """
    name = source.split("://", 1)[1].strip("/")
    if name not in EXAMPLES:
        raise SourceError(f"{source}: no such data set; there are {', '.join(EXAMPLES)}")
    from sklearn import datasets  # 0.6 s that no other source should cost

    try:
        if name == "california_housing":
            bunch: Any = datasets.fetch_california_housing(download_if_missing=False)
        else:
            bunch = getattr(datasets, f"load_{name}")()
    except OSError as error:
        raise SourceError(
            f"{source}: not on this machine; fetch it once with "
            "sklearn.datasets.fetch_california_housing()"
        ) from error
    columns = dict(zip(map(str, bunch.feature_names), bunch.data.T, strict=True))
    columns["target"] = bunch.target
    return ExamplePart(
        source, _digest(columns), pa.table({k: np.ascontiguousarray(v) for k, v in columns.items()})
    )


def _digest(columns: dict[str, Any]) -> str:
    digest = hashlib.sha256(canonical_json(list(columns)))
    for values in columns.values():
        digest.update(np.ascontiguousarray(values, dtype="<f8").data)
    return f"sha256:{digest.hexdigest()}"
