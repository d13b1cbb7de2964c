"""The workflows for CI are pinned, have no right they do not need, and call what exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarrant.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
MAKEFILE = (ROOT / "Makefile").read_text()


def _jobs(path: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return jobs


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _jobs(path).values() for step in job["steps"]]


def test_there_are_workflows() -> None:
    """The law below is held over files, not over an empty list."""
    assert {"ci.yaml", "lifecycle.yaml"} <= {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_empty_at_the_top_and_named_per_job(path: Path) -> None:
    """No job has a right by default, none may write contents, and each has a time limit."""
    assert {} == yaml.safe_load(path.read_text())["permissions"]
    for job in _jobs(path).values():
        assert {"contents": "read"}.items() <= job["permissions"].items()
        assert set(job["permissions"]) <= {"contents", "pull-requests"}
        assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """A tag can be moved; a full commit cannot. A comment says which release it is."""
    used = re.findall(r"uses: *(.*)", path.read_text())

    assert used
    assert [] == [u for u in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", u)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    """What a person typed reaches a script as a variable, never as code."""
    assert [] == [step["run"] for step in _steps(path) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_scripts_call_what_exists(path: Path) -> None:
    """Targets, programs of ci/ and commands of warrant are there."""
    commands = {command.name for command in app.registered_commands}
    text = "\n".join(step.get("run", "") for step in _steps(path))

    for target in re.findall(r"\bmake ([a-z-]+)", text):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
    for program in re.findall(r"ci/\w+\.py", text):
        assert (ROOT / program).is_file(), program
    assert set(re.findall(r"bin/warrant ([a-z]+)", text)) <= commands
