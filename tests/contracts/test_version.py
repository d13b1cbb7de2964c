"""One version, stated in two places that are compared."""

import tomllib
from pathlib import Path

import modelwarrant

ROOT = Path(__file__).resolve().parents[2]


def test_the_package_states_the_distributions_version() -> None:
    """What manifests and decisions state is what is released."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == modelwarrant.__version__
