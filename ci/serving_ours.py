"""How fast is our own service, and what do its log and its shadow cost a request?

Everything is on, as a container starts it: verification, metrics, the log of predictions, the cache
on the local disk. Costs are told by servers that run side by side and differ in one setting; their
loads take turns, so that what else the machine does hits all of them alike.
"""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import modelwarrant
from ci.load import Request, Server
from ci.rivals.servers import ROOT
from modelwarrant.records import Recipe
from modelwarrant.training import fit
from modelwarrant.windows import Feature, FeatureSchema, TrainingSplit, typed_window
from tests.serving.place import Place

__all__ = ["COSTS", "Ours"]

COSTS: Final[Mapping[str, Mapping[str, bool]]] = {
    "without shadow": {"shadow": False},
    "with shadow": {"shadow": True},
    "without shadow and log": {"shadow": False, "log_payload": False},
}
"""Settings whose requests a second are compared, by their name in the results."""

_RECIPES: Final = {
    "logistic": Recipe(model="linear"),
    "forest": Recipe(model="random_forest", parameters={"min_samples_leaf": 1}),
    "boosting": Recipe(model="hist_gradient_boosting"),
}
_JSON: Final = {"Content-Type": "application/json"}
_NAME: Final = "benchmark"
_TURNS: Final = 3
"""Loads of each setting; the median counts."""

_SERVE: Final = """
import json, sys
from pathlib import Path
from modelwarrant.storage import DirectoryStore
from serving.main import serve
from serving.settings import Settings
settings = Settings(model="benchmark", **json.loads(sys.argv[3]))
serve(DirectoryStore(Path(sys.argv[1])), settings, port=int(sys.argv[2]))
"""

Rows = npt.NDArray[np.float64]


class Ours:
    """Measures our service with one model after the other.

    Args:
        rows: (n, 30) float64, n >= 100; what is fitted to, and asked.
        labels: (n,) 0 or 1.
        folder: for stores and caches.
        port: the first of four that are free.
        seconds: length of a load.
    """

    def __init__(
        self, rows: Rows, labels: npt.NDArray[np.int64], *, folder: Path, port: int, seconds: float
    ) -> None:
        self._rows = rows
        self._split, self._schema = _training(rows, labels)
        self._folder = folder
        self._port = port
        self._seconds = seconds

    @property
    def versions(self) -> dict[str, str]:
        """What is measured."""
        return {"modelwarrant": modelwarrant.__version__}

    def measure(self, model: str) -> dict[str, Any]:
        """Return what was found with one of the three models, by body."""
        fitted = fit([self._split], self._schema, _RECIPES[model])
        place = Place(self._folder / f"store-{model}", model=_NAME)
        place.promote((fitted.schema, fitted.onnx))
        one, many, binary = _bodies(self._rows)
        bodies = {
            "1 row": one,
            "1 row, /predict": _fields(self._rows),
            "100 rows": many,
            "100 rows, binary": binary,
        }
        with self._container(place.root) as server:
            found: dict[str, Any] = {"ready_s": server.ready_s} | {
                name: asdict(server.load(body, seconds=self._seconds))
                for name, body in bodies.items()
            }
        place.decide((fitted.schema, fitted.onnx))
        return found | {"costs": self._costs(place.root, one)}

    def _container(self, store: Path) -> Server:
        told = {
            "WARRANT_MODEL": _NAME,
            "WARRANT_STORE": str(store),
            "WARRANT_HOST": "127.0.0.1",
            "WARRANT_PORT": str(self._port),
            "WARRANT_CACHE": str(store.with_name(f"{store.name}-cache")),
        }
        return _server([sys.executable, "-m", "serving"], self._port, told)

    def _costs(self, store: Path, request: Request) -> dict[str, Any]:
        """Return the median requests a second and CPU time of each setting."""
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(self._with(store, settings, self._port + 1 + position))
                for position, (name, settings) in enumerate(COSTS.items())
            }
            found: dict[str, list[Any]] = {name: [] for name in servers}
            for _ in range(_TURNS):
                for name, server in servers.items():
                    found[name].append(server.load(request, seconds=self._seconds / 2))
        return {
            name: {
                "requests_per_s": statistics.median(load.requests_per_s for load in loads),
                "cpu_us": statistics.median(load.cpu_us for load in loads),
                "failed": sum(load.failed for load in loads),
            }
            for name, loads in found.items()
        }

    def _with(self, store: Path, settings: Mapping[str, bool], port: int) -> Server:
        arguments = [str(store), str(port), json.dumps(dict(settings))]
        return _server([sys.executable, "-c", _SERVE, *arguments], port, {})


def _server(command: Sequence[str], port: int, env: Mapping[str, str]) -> Server:
    return Server(command, port=port, ready=Request("/readyz", b"", {}), env=env, cwd=ROOT)


def _training(rows: Rows, labels: Any) -> tuple[TrainingSplit, FeatureSchema]:
    schema = FeatureSchema(
        features=tuple(Feature(name=f"f{i}", kind="number") for i in range(rows.shape[1])),
        task="classification",
        target="y",
        classes=("0", "1"),
        class_kind="integer",
    )
    columns: dict[str, Any] = {f"f{i}": rows[:, i] for i in range(rows.shape[1])}
    columns["y"] = [str(label) for label in labels]
    return TrainingSplit(typed_window(pa.table(columns), schema)), schema


def _bodies(rows: Rows) -> tuple[Request, Request, Request]:
    """Return one row and a hundred in JSON, and a hundred as a binary tensor, both ways."""
    path = f"/v2/models/{_NAME}/infer"

    def asked(count: int, **more: Any) -> dict[str, Any]:
        return {"name": "rows", "shape": [count, rows.shape[1]], "datatype": "FP64", **more}

    def plain(count: int) -> Request:
        tensor = asked(count, data=rows[:count].ravel().tolist())
        document = {"inputs": [tensor], "outputs": [{"name": "probabilities"}]}
        return Request(path, json.dumps(document).encode(), _JSON)

    data = rows[:100].astype("<f8").tobytes()
    tensor = asked(100, parameters={"binary_data_size": len(data)})
    output = {"name": "probabilities", "parameters": {"binary_data": True}}
    head = json.dumps({"inputs": [tensor], "outputs": [output]}).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return plain(1), plain(100), Request(path, head + data, headers)


def _fields(rows: Rows) -> Request:
    row = {f"f{i}": value for i, value in enumerate(rows[0].tolist())}
    return Request("/predict", json.dumps(row).encode(), _JSON)
