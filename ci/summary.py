"""What does a pull request get to read about a run?

    .venv/bin/python ci/summary.py --accept 10 --comment comment.md -- .venv/bin/warrant run --json

Runs the command, turns its JSON answer into Markdown for the job's summary and for a comment, and
ends with the command's code, or 0 where that code is accepted. Every text of the answer is taken
for hostile: it is shown as text, never as Markdown, HTML or a mention.
"""

import argparse
import html
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_ENDINGS: Final = {
    0: "promoted",
    10: "a person must decide",
    11: "on hold",
    12: "rejected",
    2: "something must be changed first",
    75: "try again later",
}
_ROWS: Final = (
    *("model", "verdict", "rule", "reason", "outcome", "outcome_reason", "drift", "metric"),
    *("gain", "delta", "n_labels", "n_required", "version", "waiting_for", "requester", "run"),
    *("request", "candidate_digest", "decision_digest"),
)
_LONGEST: Final = 500
"""Characters of one value; a comment of GitHub's holds 65,536 in all."""
_SPECIAL: Final = r"\`*_{}[]()!|~@:$"
"""What Markdown, mentions and bare links are made of."""


def shown(value: Any) -> str:
    """Return a value as text that neither Markdown nor HTML nor a mention can come out of.

    >>> shown("<b>@ada</b> | [x](y)")
    '&lt;b&gt;&#64;ada&lt;/b&gt; &#124; &#91;x&#93;&#40;y&#41;'
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    escaped = html.escape(text)
    for character in _SPECIAL:
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped


def link(url: str) -> str:
    """Return a link to a web page, or the address as text where it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return shown(url)
    return f'<a href="{html.escape(url, quote=True)}">{shown(url)}</a>'


def markdown(answer: Mapping[str, Any], *, code: int) -> str:
    """Return what a person reads of an answer of ``warrant run`` or ``warrant submit``.

    Args:
        answer: the JSON document; empty where the command gave none.
        code: the command's exit code.
    """
    lines = [f"### modelwarrant: {_ENDINGS.get(code, 'the run broke')}", ""]
    rows = [(name, answer[name]) for name in _ROWS if answer.get(name) not in (None, "", [], {})]
    if rows:
        lines += ["| | |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {shown(value)} |" for name, value in rows]
    pages = answer.get("reports") or {}
    if isinstance(answer.get("url"), str):
        pages = {**pages, "page": answer["url"]}
    if pages:
        lines += ["", "Pages:", ""]
        lines += [f"- {shown(name)}: {link(str(page))}" for name, page in pages.items()]
    if not answer:
        lines.append(f"The command ended with {code} and gave no answer; its log says why.")
    if code == 10 and answer.get("request"):
        lines += ["", f"To decide: <code>warrant show {shown(answer['request'])}</code>"]
    return "\n".join(lines) + "\n"


def _answer(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def main(argv: Sequence[str]) -> int:
    """Run the command, write what it came to, and return its code or 0."""
    parser = argparse.ArgumentParser(prog="ci/summary.py", allow_abbrev=False)
    parser.add_argument("--accept", type=int, action="append", default=[], metavar="CODE")
    parser.add_argument("--comment", type=Path, help="write the Markdown here, too")
    parser.add_argument("--answer", type=Path, help="keep the JSON answer here")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(argv)
    try:
        done = subprocess.run(given.command, stdout=subprocess.PIPE, text=True, check=False)
    except OSError as error:
        print(f"{given.command[0]}: {error.strerror}; run `make setup`", file=sys.stderr)
        return 2
    text = markdown(_answer(done.stdout), code=done.returncode)
    print(text)
    if given.answer is not None:
        given.answer.write_text(done.stdout)
    if given.comment is not None:
        given.comment.write_text(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(text)
    return 0 if done.returncode in given.accept else done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
