"""A stage is one folder and one arrow."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ci.new_stage import check_name
from modelwarrant.errors import PermanentError
from modelwarrant.sources import save_window
from modelwarrant.windows import Feature, FeatureSchema, typed_window

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("modelwarrant", "components", "pipelines", "gate", "serving", "ci")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project that has the stage score_batch and its arrow."""
    root = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "contracts", root / "tests" / "contracts")
    for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "Makefile"):
        shutil.copy(ROOT / name, root / name)
    (root / ".tools").symlink_to(ROOT / ".tools")
    made = _python(root, "ci/new_stage.py", "score_batch")
    assert 0 == made.returncode, made.stderr
    _draw_arrow(root / "pipelines" / "lifecycle.py")
    compiled = _python(root, "ci/compile_pipelines.py")
    assert 0 == compiled.returncode, compiled.stderr
    return root


def _python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def _draw_arrow(pipeline: Path) -> None:
    text = pipeline.read_text()
    first = "from components.split_window.component import split_window\n"
    added = "from components.score_batch.component import score_batch\n"
    text = text.replace(first, added + first, 1)
    pipeline.write_text(text.rstrip("\n") + '\n    score_batch(window=now.outputs["validated"])\n')


def test_the_compiled_pipeline_has_the_stage(tree: Path) -> None:
    """One arrow is all that the graph needs: the IR runs the stage on its own image."""
    result = _python(
        tree,
        "-c",
        "import yaml; ir = next(yaml.safe_load_all(open('pipelines/lifecycle.yaml')));"
        "print(ir['deploymentSpec']['executors']['exec-score-batch']['container']['image'])",
    )

    assert "modelwarrant/score-batch:dev" == result.stdout.strip(), result.stderr


def test_the_contract_tests_hold_the_stage_to_the_law(tree: Path) -> None:
    """The law finds the folder, and the template keeps it."""
    result = _python(
        tree,
        *("-m", "pytest", "-v", "-p", "no:cacheprovider", "tests/contracts/test_every_stage.py"),
        *("-k", "score_batch or found or container or cache"),
    )

    assert 0 == result.returncode, result.stdout
    assert "test_the_spec_is_documented[score_batch] PASSED" in result.stdout


def test_the_lock_is_current(tree: Path) -> None:
    """The stage's dependencies are locked, and nothing else of the lock moved."""
    uv = str(ROOT / ".tools" / "uv" / "bin" / "uv")
    locked = subprocess.run(
        [uv, "lock", "--check", "--quiet", "--python", sys.executable],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    ).returncode
    before, after = (root.joinpath("uv.lock").read_text().splitlines() for root in (ROOT, tree))

    assert 0 == locked
    assert set(before) <= set(after)


def test_the_folder_passes_lint(tree: Path) -> None:
    """What the template writes is formatted and clean by the project's own rules."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    for command in (["check"], ["format", "--check"]):
        result = subprocess.run(
            [ruff, *command, "components/score_batch", "pipelines/lifecycle.py"],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )

        assert 0 == result.returncode, result.stdout


def test_the_stage_works(tree: Path, tmp_path: Path) -> None:
    """The template is a stage that runs: it counts the rows of a window."""
    schema = FeatureSchema(features=(Feature(name="x", kind="number"),))
    window = typed_window(pa.table({"x": np.arange(7.0)}), schema)
    save_window(tmp_path / "window", window)
    given = {
        "inputs": {"artifacts": {"window": {"artifacts": [{"uri": str(tmp_path / "window")}]}}},
        "outputs": {
            "artifacts": {"summary": {"artifacts": [{"uri": str(tmp_path / "summary")}]}},
            "parameters": {"rows": {"outputFile": str(tmp_path / "rows")}},
        },
    }
    module = "components.score_batch.run"
    result = _python(tree, "-m", module, "--executor-input", json.dumps(given))

    assert 0 == result.returncode, result.stderr
    assert "7" == (tmp_path / "rows").read_text()
    assert {"rows": 7, "labelled": 0} == json.loads((tmp_path / "summary").read_bytes())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "which stage"),
        ("score-batch", "lower case"),
        ("ScoreBatch", "lower case"),
        ("score_batch\n", "lower case"),
        ("_score", "lower case"),
        ("score__batch", "lower case"),
        ("../score", "lower case"),
        ("a" * 51, "at most 50"),
        ("import", "a word of Python"),
        ("print", "a word of Python"),
        ("container", "of the specs"),
        ("train_model", "exists already"),
        ("spec", "exists already"),
        ("scikit_learn", "uv.lock names already"),
    ],
)
def test_a_bad_name_is_refused(name: str, said: str) -> None:
    """A name that cannot be a folder, a function, an image and a package is refused by reason."""
    with pytest.raises(PermanentError, match=said):
        check_name(name, ROOT)


def test_a_stage_that_cannot_be_locked_leaves_nothing(tree: Path, tmp_path: Path) -> None:
    """Without uv there is one clear line, exit 2, and the tree is as it was."""
    root = tmp_path / "tree"
    shutil.copytree(tree, root, symlinks=True)
    (root / ".tools").unlink()
    before = (root / "uv.lock").read_bytes()
    result = _python(root, "ci/new_stage.py", "rank_rows")

    assert 2 == result.returncode
    assert "make setup" in result.stderr
    assert not (root / "components" / "rank_rows").exists()
    assert before == (root / "uv.lock").read_bytes()
