"""What a pull request reads of a run, and what can't get into it."""

import json
import sys
from pathlib import Path

import pytest

from ci.summary import link, main, markdown, shown
from ci.waiting_request import step_outputs


def _command(code: int, answer: object) -> list[str]:
    script = f"import sys; print({json.dumps(answer)!r}); sys.exit({code})"
    return ["--", sys.executable, "-c", script]


@pytest.mark.parametrize(
    "text",
    ["<script>", "@ada", "[x](http://evil)", "![x](y)", "a | b", "`x`", "http://evil", "**x**"],
)
def test_no_markup_comes_out_of_a_text(text: str) -> None:
    """Characters that mean something to Markdown, HTML or GitHub are shown as themselves."""
    assert not set("<>@[]|`*") & set(shown(text))
    assert "://" not in shown(text)


def test_a_text_stays_in_its_row() -> None:
    """Lines and control characters become blanks, and a long text is cut."""
    assert "a b c" == shown("a\nb\x00\r\n c")
    assert len(shown("x" * 10_000)) <= 500


def test_only_a_web_page_becomes_a_link() -> None:
    """A script's or a file's address is text."""
    assert "<a " not in link("javascript:alert(1)")
    assert "<a " not in link("file:///etc/passwd")
    assert '"><script' not in link('https://gate/"><script>')
    assert link("https://gate/requests/run-1").startswith('<a href="https://gate/requests/run-1">')


def test_the_verdict_and_the_page_are_shown() -> None:
    """Verdict, rule, reason and the page's link stand in the summary."""
    text = markdown(
        {"verdict": "NEEDS_APPROVAL", "rule": "first", "request": "run-1", "url": "https://g/1"},
        code=10,
    )

    assert "a person must decide" in text
    assert "| verdict | NEEDS&#95;APPROVAL |" in text
    assert 'href="https://g/1"' in text
    assert "warrant show run-1" in text


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (10, 0), (11, 11), (12, 12), (2, 2)])
def test_the_commands_code_is_kept_unless_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, expected: int
) -> None:
    """The job is as green as the run, and the summary is written either way."""
    summary, comment = tmp_path / "summary.md", tmp_path / "comment.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    given = ["--accept", "10", "--comment", str(comment), *_command(code, {"verdict": "HOLD"})]

    assert expected == main(given)
    assert summary.read_text() == comment.read_text()
    assert "HOLD" in comment.read_text()


def test_a_command_without_an_answer_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that broke before its answer leaves a summary that says so."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    comment = tmp_path / "comment.md"

    assert 70 == main(["--comment", str(comment), "--", sys.executable, "-c", "exit(70)"])
    assert "the run broke" in comment.read_text()


def test_a_missing_command_is_one_line() -> None:
    """A command that is not there is named, with what to do."""
    assert 2 == main(["--", "no-such-command-here"])


def test_the_waiting_request_is_a_steps_output() -> None:
    """A request without an outcome waits."""
    assert "request=run-1\nwaits=true" == step_outputs('{"request": "run-1", "outcome": null}')
    assert "request=run-1\nwaits=false" == step_outputs('{"request": "run-1", "outcome": "held"}')


@pytest.mark.parametrize("text", ['{"request": "a\\nwaits=true"}', "{}", "[]", "no"])
def test_an_answer_cannot_write_other_outputs(text: str) -> None:
    """A name with a line in it, or no name, is refused."""
    with pytest.raises(ValueError, match=r"."):
        step_outputs(text)
