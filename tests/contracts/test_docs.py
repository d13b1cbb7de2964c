"""A path, target, command or flag that a document names exists."""

import functools
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modelwarrant.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/*.md", "docs/adr/*.md") for path in ROOT.glob(pattern)
)
MAKEFILE = (ROOT / "Makefile").read_text()
CODE = re.compile(r"`([^`\n]+)`|^ {4}(\S.*)$", re.MULTILINE)


def _code(path: Path) -> list[str]:
    """Return every inline code span and every line of a code block."""
    text = path.read_text()
    spans = [match[0] or match[1] for match in CODE.findall(text)]
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        spans += block.splitlines()
    return spans


@functools.cache
def _help(*command: str) -> str:
    shown = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}).invoke(
        app, [*command, "--help"]
    )
    return shown.output if shown.exit_code == 0 else ""


def test_there_are_documents() -> None:
    """The checks below look at the documents of the design."""
    names = {path.name for path in DOCUMENTS}

    assert {"README.md", "CONTRIBUTING.md", "AGENTS.md", "CHANGELOG.md", "limits.md"} <= names


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_paths_exist(path: Path) -> None:
    """A path from the project's root that a document names is there."""
    rooms = r"(?:modelwarrant|components|pipelines|gate|serving|tests|ci|docs|manifests|images)"
    named = {
        match
        for span in _code(path)
        for match in re.findall(rf"(?<![\w/.-])({rooms}/[\w./-]*\w/?)(?![\w*<{{])", span)
    }
    linked = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()))
    missing = {name for name in named if not (ROOT / name).exists()}
    missing |= {name for name in linked if not (path.parent / name).exists()}

    assert set() == missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path: Path) -> None:
    """`make X` in a document is a target of the Makefile."""
    targets = {
        match
        for span in _code(path)
        for match in re.findall(r"^make ([a-z][a-z0-9-]*)", span.strip())
    }
    missing = {name for name in targets if not re.search(rf"^{name}:", MAKEFILE, re.MULTILINE)}

    assert set() == missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_flags_exist(path: Path) -> None:
    """`warrant X --flag` in a document is a command with that flag."""
    wrong = []
    for span in _code(path):
        match = re.match(r"^\$?\s*(?:\.venv/bin/)?warrant ((?:[a-z][a-z-]*\s?){1,2})", span.strip())
        if not match:
            continue
        words = match[1].split()
        text = _help(*words) or _help(words[0])
        flags = re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", span)
        wrong += [span] if not text else [f for f in flags if f not in text]

    assert [] == wrong


def test_the_readme_is_short() -> None:
    """The README answers what, how, where and what not in under 150 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_every_decision_record_is_in_the_index() -> None:
    """docs/adr/README.md lists each record once."""
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    records = [path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")]

    assert records
    assert dict.fromkeys(records, 1) == {name: index.count(f"({name})") for name in records}
