"""How fast is the prediction service beside other servers of the same scikit-learn models?

One run, one machine, one worker each, the same three models (scaler and logistic regression, a
forest of 200 full trees, histogram gradient boosting; 30 numbers a row), the same rows, wrk over 16
connections on loopback. Everything of ours is on: verification, metrics, payload log. Nothing is
asserted: a figure that misses its goal is printed as missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from sklearn.datasets import make_classification

import modelwarrant
from ci.load import Request, Server, require_wrk
from ci.rivals.servers import HERE, MODELS, RIVALS, ROOT, Rival, environment
from ci.serving_table import OURS, table
from modelwarrant.records import Recipe
from modelwarrant.training import fit
from modelwarrant.windows import Feature, FeatureSchema, TrainingSplit, typed_window
from tests.serving.place import Place

PORT: Final = 18_700
RECIPES: Final = {
    "logistic": Recipe(model="linear"),
    "forest": Recipe(model="random_forest", parameters={"min_samples_leaf": 1}),
    "boosting": Recipe(model="hist_gradient_boosting"),
}
_JSON: Final = {"Content-Type": "application/json"}
_SERVE: Final = """
import json, sys
from pathlib import Path
from modelwarrant.storage import DirectoryStore
from serving.main import serve
from serving.settings import Settings
settings = Settings(model="benchmark", **json.loads(sys.argv[3]))
serve(DirectoryStore(Path(sys.argv[1])), settings, port=int(sys.argv[2]))
"""


def main(argv: list[str]) -> int:
    """Measure, print a table, and write JSON where it was asked for."""
    asked = _arguments(argv)
    require_wrk()
    rows, labels = make_classification(5000, 30, n_informative=10, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        results = {OURS: _with_load(_ours(rows, labels, place, asked.seconds))}
        for rival in RIVALS:
            if not asked.only or rival.environment in asked.only:
                results[rival.name] = _with_load(_rival(rival, rows, labels, place, asked))
            _keep(results, asked)
    print(table(_document(results, asked), MODELS))
    return 0


def _with_load(found: dict[str, Any]) -> dict[str, Any]:
    """Note how busy the machine was: a figure among neighbours is not one of a quiet machine."""
    return {**found, "load_average": os.getloadavg()[0]}


def _document(results: dict[str, Any], asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds_a_load": asked.seconds,
        "results": results,
    }


def _keep(results: dict[str, Any], asked: argparse.Namespace) -> None:
    """Write what is known so far: a run takes minutes, and may be stopped."""
    if asked.json is not None:
        text = json.dumps(_document(results, asked), indent=2)
        asked.json.write_text(text + "\n", encoding="utf-8")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="warrant benchmark serving", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each load")
    parser.add_argument("--only", action="append", help="only this rival: fastapi, mlserver, ...")
    parser.add_argument("--cache", type=Path, default=cache / "modelwarrant" / "rivals")
    parser.add_argument("--json", type=Path, help="file for the results")
    return parser.parse_args(argv)


def _ours(rows: Any, labels: Any, folder: Path, seconds: float) -> dict[str, Any]:
    """Measure our service: one process a model."""
    found: dict[str, Any] = {"versions": {"modelwarrant": modelwarrant.__version__}}
    split, schema = _training(rows, labels)
    for name, recipe in RECIPES.items():
        print(f"{OURS}, {name} ...", flush=True)
        fitted = fit([split], schema, recipe)
        place = Place(folder / f"store-{name}", model="benchmark")
        place.promote((fitted.schema, fitted.onnx))
        one, many, binary = _bodies(rows)
        with _service(place, {}) as server:
            found[name] = {
                "ready_s": server.ready_s,
                "1 row": asdict(server.load(one, seconds=seconds)),
                "1 row, /predict": asdict(server.load(_fields(rows), seconds=seconds)),
                "100 rows": asdict(server.load(many, seconds=seconds)),
                "100 rows, binary": asdict(server.load(binary, seconds=seconds)),
            }
        place.decide((fitted.schema, fitted.onnx))
        for shadow in (False, True):
            with _service(place, {"shadow": shadow}) as server:
                key = f"1 row, shadow {'on' if shadow else 'off'}"
                found[name][key] = asdict(server.load(one, seconds=seconds))
    return found


def _training(rows: Any, labels: Any) -> tuple[TrainingSplit, FeatureSchema]:
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


def _service(place: Place, settings: dict[str, Any]) -> Server:
    arguments = [str(place.root), str(PORT), json.dumps(settings)]
    return Server(
        [sys.executable, "-c", _SERVE, *arguments],
        port=PORT,
        ready=Request("/readyz", b"", {}),
        cwd=ROOT,
    )


def _bodies(rows: Any) -> tuple[Request, Request, Request]:
    """Return one row and a hundred in JSON, and a hundred as a binary tensor, both ways."""
    path = "/v2/models/benchmark/infer"

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


def _fields(rows: Any) -> Request:
    row = {f"f{i}": value for i, value in enumerate(rows[0].tolist())}
    return Request("/predict", json.dumps(row).encode(), _JSON)


def _rival(
    rival: Rival, rows: Any, labels: Any, folder: Path, asked: argparse.Namespace
) -> dict[str, Any]:
    """Measure another server in one setting."""
    python, versions = environment(rival.environment, asked.cache)
    models = folder / rival.environment
    if not models.exists():
        np.savez(folder / "data.npz", rows=rows, labels=labels)
        _fit_there(python, folder / "data.npz", models)
    rival.prepare(models, PORT)
    found: dict[str, Any] = {"versions": versions}
    for served in rival.serves:
        print(f"{rival.name}, {', '.join(served)} ...", flush=True)
        with Server(
            rival.command(python, models, served, PORT),
            port=PORT,
            ready=rival.request(served[-1], rows[:1]),
            env={
                "MODEL_FOLDER": str(models),
                "PATH": f"{python.parent}:{os.environ['PATH']}",
                "OMP_NUM_THREADS": "1",  # threads for one row cost each of them more than they give
            },
            cwd=HERE,
        ) as server:
            for model in served:
                found[model] = {"ready_s": server.ready_s} | {
                    name: asdict(server.load(rival.request(model, part), seconds=asked.seconds))
                    for name, part in (("1 row", rows[:1]), ("100 rows", rows[:100]))
                }
    return found


def _fit_there(python: Path, data: Path, models: Path) -> None:
    command = [str(python), str(HERE / "fit.py"), str(data), str(models)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
