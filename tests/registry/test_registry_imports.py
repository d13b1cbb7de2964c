"""What importing the ledger costs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["modelwarrant.storage", "modelwarrant.registry"])
def test_importing_stays_light(module: str) -> None:
    """Nothing heavy and no optional extra comes along."""
    heavy = ["minio", "urllib3", "sklearn", "pandas", "pyarrow", "scipy", "numpy", "onnxruntime"]
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
