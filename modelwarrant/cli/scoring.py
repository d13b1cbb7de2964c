"""How is a file scored with what is in production?"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from modelwarrant.bundle import Bundle, open_bundle
from modelwarrant.cli.knowledge import Place
from modelwarrant.errors import UnknownModelError
from modelwarrant.records import BUNDLE_FILES
from modelwarrant.registry import Version, read_blobs
from modelwarrant.sources import read_table
from modelwarrant.windows import Predictions, typed_window

__all__ = ["Scored", "production_bundle", "score_file", "version_bundle"]


@dataclass(frozen=True)
class Scored:
    """Predictions of a file, one a row."""

    model: str
    version: int
    decision: str | None
    bundle: Bundle
    predictions: Predictions

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.predictions)

    def labels(self) -> list[Any]:
        """Return the answers in the type that the labels had."""
        if self.predictions.task == "regression":
            return [float(value) for value in self.predictions.values]
        kind = self.bundle.schema.class_kind
        texts = self.predictions.classes
        typed: list[Any] = list(texts)
        if kind == "integer":
            typed = [int(text) for text in texts]
        elif kind == "boolean":
            typed = [text == "true" for text in texts]
        return [typed[code] for code in self.predictions.codes.tolist()]

    def columns(self) -> dict[str, list[Any]]:
        """Return prediction and scores, column by column."""
        columns: dict[str, list[Any]] = {"prediction": self.labels()}
        if self.predictions.task == "classification":
            for place, label in enumerate(self.predictions.classes):
                columns[f"score_{label}"] = np.round(self.predictions.values[:, place], 12).tolist()
        return columns

    def document(self) -> dict[str, Any]:
        """Return everything as JSON."""
        columns = self.columns()
        return {
            "model": self.model,
            "version": self.version,
            "digest": self.bundle.digest,
            "decision": self.decision,
            "predictions": columns.pop("prediction"),
            "scores": {name.removeprefix("score_"): values for name, values in columns.items()},
        }

    def write_csv(self, file: TextIO) -> None:
        """Write CSV with a header."""
        columns = self.columns()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))

    def save(self, path: Path) -> None:
        """Write Parquet or CSV, by the file's name; whole or not at all."""
        import pyarrow as pa
        from pyarrow import parquet

        temporary = path.with_name(f".{path.name}.part")
        if path.suffix == ".parquet":
            parquet.write_table(pa.table(self.columns()), temporary)
        else:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                self.write_csv(file)
        temporary.replace(path)


def production_bundle(place: Place, model: str) -> tuple[Version, Bundle]:
    """Return what is in production, hashed and loaded.

    Raises:
        UnknownModelError: nothing is in production yet.
    """
    version = place.state(model).production_version
    if version is None:
        raise UnknownModelError(f"{model} has nothing in production yet; see warrant requests")
    return version, version_bundle(place, model, version)


def version_bundle(place: Place, model: str, version: Version) -> Bundle:
    """Return a version's bundle, hashed and loaded."""
    blobs = [blob for blob in version.blobs if blob.name in BUNDLE_FILES]
    files = read_blobs(place.store, model, version.attempt, blobs)
    return open_bundle(files, name=f"{model}@{version.number}", digest=version.digest)


def score_file(place: Place, model: str, source: str) -> Scored:
    """Score every row of a file."""
    version, bundle = production_bundle(place, model)
    features_only = bundle.schema.model_copy(update={"target": None, "task": None, "time": None})
    window = typed_window(read_table(source, base=Path.cwd()), features_only)
    decided = place.state(model).decisions.get(version.decision or 0)
    return Scored(
        model,
        version.number,
        None if decided is None else decided.decision_digest,
        bundle,
        bundle.predict(window),
    )
