"""A model in production, the log that serving would have written of it, and labels that arrive."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from modelwarrant.bundle import Bundle, open_bundle
from modelwarrant.records import BUNDLE_FILES
from modelwarrant.registry import Ledger, State, read_blobs
from modelwarrant.storage import DirectoryStore
from modelwarrant.windows import typed_window
from modelwarrant.windows.logged import logged_features, score_column
from tests.e2e.conftest import Laptop

MODEL = "demand"


def rows(n: int, *, seed: int, turned: bool = False, hotter: float = 0.0) -> pd.DataFrame:
    """Return rows as ``tests.e2e.conftest.demand`` draws them.

    Args:
        n: how many.
        seed: of the draw.
        turned: whether the rule for ``busy`` is turned around: a concept shift.
        hotter: added to ``temperature``, which ``busy`` does not depend on.
    """
    rng = np.random.default_rng(seed)
    temperature, load = rng.normal(15, 5, n) + hotter, rng.normal(50, 10, n)
    pull = (load - 50) / 5
    busy = rng.random(n) < 1 / (1 + np.exp(pull if turned else -pull))
    return pd.DataFrame(
        {
            "temperature": temperature.round(3),
            "load": load.round(3),
            "place": rng.choice(["north", "south"], n),
            "busy": busy.astype(int),
        }
    )


@dataclass
class Season:
    """A laptop's store after a promotion, and the log of what production answers."""

    laptop: Laptop
    files: int = 0

    @property
    def store(self) -> DirectoryStore:
        """The project's store."""
        return DirectoryStore(self.laptop.project / ".warrant")

    @property
    def state(self) -> State:
        """The ledger's fold."""
        return Ledger(self.store, MODEL).state()

    def bundle(self, version: int | None = None) -> Bundle:
        """Return a version's model, by default production's."""
        state = self.state
        found = state.production_version if version is None else state.versions[version]
        assert found is not None
        blobs = [blob for blob in found.blobs if blob.name in BUNDLE_FILES]
        return open_bundle(
            read_blobs(self.store, MODEL, found.attempt, blobs), name=f"version {version}"
        )

    def answer(
        self,
        data: pd.DataFrame,
        *,
        prefix: str,
        at: datetime | None = None,
        version: int | None = None,
    ) -> list[str]:
        """Log the answers of production to these rows; return their request ids."""
        begin = at or datetime.now(UTC) - timedelta(hours=1)
        ids = [f"{prefix}-{number}" for number in range(len(data))]
        bundle, number = self.bundle(), version or self.state.production or 0
        window = typed_window(
            pa.Table.from_pandas(data.drop(columns="busy")),
            bundle.schema.model_copy(update={"time": None}),
        )
        predictions = bundle.predict(window)
        columns: dict[str, Any] = {
            "request_id": ids,
            "row": np.zeros(len(ids), dtype=np.int64),
            "time": pa.array(
                [begin + timedelta(milliseconds=100 * n) for n in range(len(ids))],
                pa.timestamp("us", tz="UTC"),
            ),
            "version": np.full(len(ids), number),
            "decision_id": ["sha256:" + "d" * 64] * len(ids),
        }
        for feature, column in logged_features(bundle.schema).items():
            columns[column] = window.table.column(feature)
        columns["prediction"] = [predictions.classes[code] for code in predictions.codes]
        for place, label in enumerate(predictions.classes):
            columns[score_column(label)] = predictions.values[:, place]
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink, compression="zstd")
        self.write(sink.getvalue(), day=begin.date().isoformat())
        return ids

    def write(self, data: bytes, *, day: str) -> None:
        """Write a file of the log."""
        self.files += 1
        self.store.create(f"payload/{MODEL}/{day}/pod-boot-{self.files}.parquet", data)

    def label(self, ids: Sequence[str], labels: Sequence[int], **more: Any) -> dict[str, Any]:
        """Hand labels in, as a person does."""
        path = self.laptop.project / "labels.csv"
        pd.DataFrame({"request_id": ids, "label": labels, **more}).to_csv(path, index=False)
        added: dict[str, Any] = self.laptop.json("labels", "add", str(path), "--key", "request_id")
        return added

    def watch(self, *words: str) -> dict[str, Any]:
        """Make a monitoring pass that starts no run."""
        found: dict[str, Any] = self.laptop.json(
            "monitor", MODEL, "--no-start", *words, expect=None
        )
        return found


def copied(source: Laptop, folder: Path) -> Season:
    """Return a season in a copy of a laptop's folder."""
    import shutil

    shutil.copytree(source.folder, folder, dirs_exist_ok=True)
    return Season(Laptop(folder))
