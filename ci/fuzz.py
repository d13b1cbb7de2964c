"""What does the service answer to thousands of requests that schemathesis makes from its OpenAPI?

Three models, a real process each, every check of schemathesis and two of ours
(``ci.fuzz_checks``): no 5xx, no answer outside the document, no wrong prediction, no value that
comes back. The tool runs in an environment of its own, made on demand.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ci.environments import cache_folder, made_environment
from ci.served_world import Service
from modelwarrant.windows import Feature
from tests.serving.place import Place
from tests.serving.tiny import air_time_model, late_model, linear_model, regression

__all__ = ["main"]

_TOOL: Final = "schemathesis==4.32.5"
_CHECKS: Final = Path(__file__).with_name("fuzz_checks.py")
_CONFIG: Final = """
checks.enabled = true
[[operations]]
include-path-regex = "/infer$"
checks.positive_data_acceptance.enabled = false
"""
"""Every check but one: no JSON Schema says that a tensor has as many values as its shape."""


def _numbers() -> Any:
    schema = regression([Feature(name=name, kind="number") for name in ("distance", "wind")])
    return schema, linear_model(schema, weights={"distance": [0.125]}, bias=[1.0])


_MODELS: Final[Mapping[str, Any]] = {
    "every kind of column": lambda: air_time_model(bias=1),
    "numbers alone": _numbers,
    "constant": late_model,
}


def main(argv: list[str]) -> int:
    """Ask each model, print what came of it, and return 1 where a check failed."""
    parser = argparse.ArgumentParser(prog="python -m ci.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=400, help="at most, a path and model")
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args(argv)
    python, versions = made_environment("schemathesis", [_TOOL], cache_folder("tools"))
    print(f"schemathesis {versions['schemathesis']}", flush=True)
    made, failed = 0, False
    for name, model in _MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            text, is_good = _fuzzed(name, model(), Path(folder), python, asked)
        found = re.search(r"([\d,]+) generated", text)
        count = int(found[1].replace(",", "")) if found else 0
        made, failed = made + count, failed or not is_good or count == 0
        print(f"{name}: {count:,} requests: {'as documented' if is_good else 'FAILED'}", flush=True)
        if not is_good:
            print(text)
    print(f"{made:,} requests")
    return int(failed)


def _fuzzed(
    name: str, made: Any, folder: Path, python: Path, asked: argparse.Namespace
) -> tuple[str, bool]:
    """Return what schemathesis said of a model's service, and whether all was well."""
    place = Place(folder / "store")
    place.promote(made)
    (folder / "schemathesis.toml").write_text(_CONFIG, encoding="utf-8")
    service = Service(place, folder / "cache", max_rows=100)
    asyncio.run(service.start())
    options = ["--continue-on-failure", "--no-shrink", "--seed", str(asked.seed)]
    options += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(asked.examples)]
    url = f"http://127.0.0.1:{service.port}/openapi.json"
    try:
        done = subprocess.run(
            [str(python.with_name("st")), "run", url, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": str(_CHECKS), "FUZZ_MODEL": name},
        )
    finally:
        code = asyncio.run(service.end())
    is_whole = "request_failed" not in service.said() and code == 0
    return done.stdout + done.stderr + service.said(), done.returncode == 0 and is_whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
