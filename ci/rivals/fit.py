"""Fit the benchmark's three models with scikit-learn alone, and keep them as each server wants it.

Runs in the environment of the server that will load them: ``python fit.py DATA.npz FOLDER``.
"""

import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    """Write ``FOLDER/<model>/model.joblib``, and an MLflow model beside it if mlflow is there."""
    data, folder = np.load(sys.argv[1]), Path(sys.argv[2])
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "forest": RandomForestClassifier(n_estimators=200, random_state=0, n_jobs=1),
        "boosting": HistGradientBoostingClassifier(early_stopping=False, random_state=0),
    }
    for name, model in models.items():
        model.fit(data["rows"], data["labels"])
        (folder / name).mkdir(parents=True, exist_ok=True)
        joblib.dump(model, folder / name / "model.joblib")
        _save_for_mlflow(model, folder / name / "mlflow")


def _save_for_mlflow(model: object, path: Path) -> None:
    try:
        import mlflow.sklearn
    except ImportError:
        return
    if not path.exists():
        # told what it needs, mlflow does not load the model again to find out
        mlflow.sklearn.save_model(
            model,
            str(path),
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"],
        )


if __name__ == "__main__":
    main()
