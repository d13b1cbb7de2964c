"""What does NannyML 0.13.1 say of the inputs? Writes ``vectors.json`` beside this file.

Runs in an environment of its own, since NannyML does not import with this project's pandas:

    uv venv --python 3.11 /tmp/nannyml
    uv pip install --python /tmp/nannyml/bin/python -r tests/estimation/nannyml/requirements.txt
    /tmp/nannyml/bin/python tests/estimation/nannyml/make_vectors.py
"""

import json
import os
import sys
from importlib import metadata
from pathlib import Path

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import nannyml  # noqa: E402
import pandas as pd  # noqa: E402
from inputs import (  # noqa: E402
    CLASSIFICATIONS,
    REGRESSIONS,
    Classified,
    Regressed,
    classified,
    regressed,
)


def confidence(case: Classified) -> dict[str, float]:
    """Return CBPE's accuracy and ROC AUC of the current window, and their sampling errors."""
    count = case.reference.shape[1]
    frames = []
    for answers in (case.reference, case.current):
        columns = {f"p{k}": answers[:, k] for k in range(count)}
        codes = answers.argmax(axis=1)
        columns["said"] = codes if count == 2 else [f"c{code}" for code in codes]
        frames.append(pd.DataFrame(columns))
    frames[0]["true"] = case.labels if count == 2 else [f"c{code}" for code in case.labels]
    estimator = nannyml.CBPE(
        y_pred_proba="p1" if count == 2 else {f"c{k}": f"p{k}" for k in range(count)},
        y_pred="said",
        y_true="true",
        problem_type=f"classification_{'binary' if count == 2 else 'multiclass'}",
        metrics=["accuracy", "roc_auc"],
        chunk_number=1,
    ).fit(frames[0])
    return _values(estimator.estimate(frames[1]), ("accuracy", "roc_auc"))


def direct(case: Regressed) -> dict[str, float]:
    """Return DLE's mean absolute and squared error, and their sampling errors."""
    names = ["a", "b", "c"]
    frames = []
    for rows, answers in (
        (case.reference, case.reference_answers),
        (case.current, case.current_answers),
    ):
        frames.append(pd.DataFrame(rows, columns=names).assign(said=answers))
    frames[0]["true"] = case.target
    estimator = nannyml.DLE(
        feature_column_names=names,
        y_pred="said",
        y_true="true",
        metrics=["mae", "mse"],
        chunk_number=1,
    ).fit(frames[0])
    return _values(estimator.estimate(frames[1]), ("mae", "mse"))


def _values(result, metrics) -> dict[str, float]:
    table = result.filter(period="analysis").to_df()
    found = {}
    for metric in metrics:
        found[metric] = float(table[(metric, "value")].iloc[0])
        found[f"{metric}_sampling_error"] = float(table[(metric, "sampling_error")].iloc[0])
    return found


def main() -> None:
    """Write the vectors."""
    vectors = {
        "versions": {
            name: metadata.version(name)
            for name in ("nannyml", "lightgbm", "numpy", "pandas", "scikit-learn")
        },
        "confidence": {case: confidence(classified(case)) for case in CLASSIFICATIONS},
        "direct": {case: direct(regressed(case)) for case in REGRESSIONS},
    }
    (HERE / "vectors.json").write_text(json.dumps(vectors, indent=2) + "\n")


if __name__ == "__main__":
    main()
