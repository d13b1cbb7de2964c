"""The same evidence and policy give the same bytes on any machine's settings."""

import json
import os
import subprocess
import sys

import pytest

_PROGRAM = """
import json, sys
from modelwarrant import policy
from modelwarrant.records import (
    DriftReport, EvaluationReport, History, ModelManifest, ValidationReport,
)
kinds = {"manifest": ModelManifest, "drift": DriftReport, "evaluation": EvaluationReport,
         "validation": ValidationReport, "history": History}
given = json.load(sys.stdin)
documents = {name: kinds[name].from_json(value, name=name) for name, value in given.items()}
rules = policy.load(policy.default_text().encode(), name="policy.yaml")
sys.stdout.buffer.write(policy.decide(rules, **documents).to_bytes())
"""


@pytest.mark.parametrize("gain", [0.05, 0.003])
def test_a_decision_has_the_same_bytes_under_any_settings(good, gain):
    """Hash seed, locale, time zone and thread count are no part of a decision."""
    case = good.but(gain=gain)
    documents = {
        name: record.model_dump(mode="json") for name, record in vars(case.documents).items()
    }
    settings = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC", "OMP_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu"},
        {"PYTHONHASHSEED": "random", "LANG": "de_DE.UTF-8", "TZ": "America/St_Johns"},
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=json.dumps(documents).encode(),
            capture_output=True,
            check=True,
            env={**os.environ, **each},
        ).stdout
        for each in settings
    }

    assert {case.decide().to_bytes()} == found
