"""The plain way: a FastAPI route with typed fields around scikit-learn's ``predict_proba``.

``MODEL_FOLDER`` names the folder that ``fit.py`` wrote. Endpoints call the model inline (``async
def``): a thread pool around scikit-learn is slower.
"""

import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import FiniteFloat, create_model

app = FastAPI()
Row: Any = create_model("Row", **{f"f{number}": (FiniteFloat, ...) for number in range(30)})
Rows: Any = create_model("Rows", rows=(list[Row], ...))


def _add(name: str) -> None:
    model = joblib.load(Path(os.environ["MODEL_FOLDER"]) / name / "model.joblib")

    def answer(rows: list[Any]) -> list[dict[str, Any]]:
        values = np.array([list(row.__dict__.values()) for row in rows])
        scores = model.predict_proba(values)
        return [
            {"prediction": int(score.argmax()), "probabilities": score.tolist()} for score in scores
        ]

    @app.post(f"/{name}")
    async def one(row: Row) -> dict[str, Any]:
        return answer([row])[0]

    @app.post(f"/{name}/rows")
    async def several(rows: Rows) -> list[dict[str, Any]]:
        return answer(rows.rows)


for each in ("logistic", "forest", "boosting"):
    _add(each)
