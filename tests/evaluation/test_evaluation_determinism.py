"""The same rows and answers give the same report under any settings of the machine."""

import os
import subprocess
import sys

_PROGRAM = """
import sys
import numpy as np, pyarrow as pa
from modelwarrant.evaluation import Scored, compare
from modelwarrant.windows import Feature, FeatureSchema, FinalSplit, Predictions, typed_window
rng = np.random.default_rng(4)
n = 3000
z = rng.standard_normal(n)
schema = FeatureSchema(
    features=(Feature(name="x", kind="number"), Feature(name="c", kind="category")),
    task="classification", target="y", classes=("a", "b"), time="t")
table = pa.table({"x": z, "c": rng.choice(["u", "v", "w"], n), "y": rng.choice(["a", "b"], n),
    "t": np.datetime64("2024-01-01", "s") + (np.arange(n) * 1000).astype("timedelta64[s]")})
def answers(seed):
    p = 1 / (1 + np.exp(-z - np.random.default_rng(seed).standard_normal(n)))
    return Predictions("classification", np.column_stack([1 - p, p]), ("a", "b"))
report = compare(FinalSplit(typed_window(table, schema)), candidate=Scored("c", answers(1)),
    production=Scored("p", answers(2)), anchor=None, trivial=Scored("t", answers(3)),
    metric="log_loss", alpha=0.05, margin_non_inferiority=0.01, slices=["x", "c"],
    policy_digest="x")
sys.stdout.buffer.write(report.to_bytes())
"""


def test_a_report_has_the_same_bytes_under_any_settings():
    """Hash seed, locale, time zone and thread count are no part of a report."""
    settings = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "9", "LANG": "de_DE.UTF-8", "TZ": "Asia/Kathmandu"},
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            capture_output=True,
            check=True,
            env={**os.environ, **each},
        ).stdout
        for each in settings
    }

    assert 1 == len(found)
    assert next(iter(found)).startswith(b'{"alpha":0.05')
