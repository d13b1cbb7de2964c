"""The three models behind BentoML, one worker; ``MODEL_FOLDER`` as for plain FastAPI."""

import os
from pathlib import Path

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 60}, metrics={"enabled": False})
class Models:
    """One endpoint a model."""

    def __init__(self) -> None:
        folder = Path(os.environ["MODEL_FOLDER"])
        names = ("logistic", "forest", "boosting")
        self.models = {name: joblib.load(folder / name / "model.joblib") for name in names}

    @bentoml.api
    def logistic(self, rows: np.ndarray) -> np.ndarray:
        """Answer with the linear model."""
        return self.models["logistic"].predict_proba(rows)

    @bentoml.api
    def forest(self, rows: np.ndarray) -> np.ndarray:
        """Answer with the forest."""
        return self.models["forest"].predict_proba(rows)

    @bentoml.api
    def boosting(self, rows: np.ndarray) -> np.ndarray:
        """Answer with the boosted trees."""
        return self.models["boosting"].predict_proba(rows)
