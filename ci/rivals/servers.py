"""Which other servers are compared, how is each started, and what is it asked?

Each has an environment of its own below a cache folder, made on demand; its versions are in
``REQUIREMENTS`` and, as installed, in the results.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ci.environments import made_environment
from ci.load import Request

__all__ = ["MODELS", "RIVALS", "Rival", "environment"]

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
MODELS: Final = ("logistic", "forest", "boosting")
SCIKIT_LEARN: Final = "scikit-learn>=1.9,<1.10"

REQUIREMENTS: Final[Mapping[str, Sequence[str]]] = {
    "fastapi": (SCIKIT_LEARN, "fastapi", "uvicorn[standard]", "joblib"),
    "mlserver": (SCIKIT_LEARN, "mlserver", "mlserver-sklearn"),
    "bentoml": (SCIKIT_LEARN, "bentoml"),
    "mlflow": (SCIKIT_LEARN, "mlflow"),
}

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rival:
    """One server in one setting."""

    name: str
    environment: str
    """Key in ``REQUIREMENTS``."""
    serves: Sequence[Sequence[str]]
    """Models by process: some servers hold all three, some one each."""

    def command(self, python: Path, folder: Path, models: Sequence[str], port: int) -> list[str]:
        """Return what starts it."""
        bin_folder = python.parent
        if self.environment == "fastapi":
            options = ["--port", str(port), "--no-access-log", "--log-level", "critical"]
            return [str(bin_folder / "uvicorn"), "plain_fastapi:app", *options]
        if self.environment == "mlserver":
            return [str(bin_folder / "mlserver"), "start", str(folder / self.name)]
        if self.environment == "bentoml":
            return [str(bin_folder / "bentoml"), "serve", "bento:Models", "--port", str(port)]
        model = str(folder / models[0] / "mlflow")
        options = ["--env-manager", "local", "-p", str(port), "-w", "1"]
        return [str(bin_folder / "mlflow"), "models", "serve", "-m", model, *options]

    def prepare(self, folder: Path, port: int) -> None:
        """Write what the server reads beside the models."""
        if self.environment != "mlserver":
            return
        batching = {"max_batch_size": 32, "max_batch_time": 0.001} if "batch" in self.name else {}
        settings = {"debug": False, "parallel_workers": 0, "http_port": port}
        settings |= {"grpc_port": port + 1, "metrics_port": port + 2}
        place = folder / self.name
        place.mkdir(exist_ok=True)
        (place / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        for model in MODELS:
            (place / model).mkdir(exist_ok=True)
            described = {"name": model, "implementation": "mlserver_sklearn.SKLearnModel"}
            uri = {"uri": str(folder / model / "model.joblib")}
            text = json.dumps({**described, **batching, "parameters": uri})
            (place / model / "model-settings.json").write_text(text, encoding="utf-8")

    def request(self, model: str, rows: Rows) -> Request:
        """Return the request for probabilities of these rows."""
        path, document = self._asked(model, rows)
        return Request(path, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _asked(self, model: str, rows: Rows) -> tuple[str, Any]:
        if self.environment == "fastapi":
            named = [{f"f{i}": value for i, value in enumerate(row)} for row in rows.tolist()]
            one = len(named) == 1
            return (f"/{model}", named[0]) if one else (f"/{model}/rows", {"rows": named})
        if self.environment == "mlserver":
            tensor = {"name": "predict", "shape": list(rows.shape), "datatype": "FP64"}
            document = {
                "inputs": [{**tensor, "data": rows.ravel().tolist()}],
                "outputs": [{"name": "predict_proba"}],
            }
            return f"/v2/models/{model}/infer", document
        if self.environment == "bentoml":
            return f"/{model}", {"rows": rows.tolist()}
        return "/invocations", {"inputs": rows.tolist()}


RIVALS: Final = (
    Rival("plain FastAPI", "fastapi", (MODELS,)),
    Rival("MLServer, in process", "mlserver", (MODELS,)),
    Rival("MLServer, adaptive batching", "mlserver", (MODELS,)),
    Rival("BentoML", "bentoml", (MODELS,)),
    Rival("mlflow models serve", "mlflow", tuple((model,) for model in MODELS)),
)


def environment(name: str, cache: Path) -> tuple[Path, dict[str, str]]:
    """Return the interpreter of a server's environment, and the versions in it that matter.

    Raises:
        SystemExit: it cannot be made; says why.
    """
    python, versions = made_environment(name, REQUIREMENTS[name], cache)
    wanted = (*REQUIREMENTS[name], "numpy", "uvicorn")
    names = {text.partition("[")[0].partition(">")[0] for text in wanted}
    return python, {one: versions[one] for one in sorted(names) if one in versions}
