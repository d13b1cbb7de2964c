"""What does a person see who opens ``/docs``?

One page without anything from elsewhere: FastAPI's own page loads its scripts from a network that a
service behind a firewall has not. The policy in ``PAGE_HEADERS`` allows this page's one script and
one style by their digests, and nothing else.
"""

import base64
import hashlib
import json
import shlex
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from modelwarrant.windows import Feature
from serving.checks import example_row, has_integer_levels
from serving.served import Served

__all__ = ["PAGE_HEADERS", "docs_page"]

_LEVELS_SHOWN = 12
"""Levels that the table of fields shows; the form offers all."""


def _part(name: str) -> str:
    return files("serving").joinpath(name).read_text(encoding="utf-8")


_PAGE: Final = Template(_part("docs.html"))
_STYLE: Final = _part("docs.css")
_SCRIPT: Final = _part("docs.js")


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_source(_SCRIPT)}; style-src {_source(_STYLE)}; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of the page."""


def docs_page(served: Served, *, max_rows: int) -> str:
    """Return the page for the version that is served."""
    features = served.schema.features
    example = example_row(served.schema)
    words = {
        "model": served.model,
        "task": str(served.schema.task).capitalize(),
        "target": served.schema.target or "",
        "version": served.version,
        "digest": served.bundle.digest,
        "decision_id": served.decision_id,
        "seq": served.seq,
        "max_rows": f"{max_rows:,}",
        "answer_words": _answer_words(served),
        "curl": _curl(example),
    }
    return _PAGE.substitute(
        {name: escape(str(word)) for name, word in words.items()},
        fields="\n".join(
            _field(feature, example[feature.name], position)
            for position, feature in enumerate(features)
        ),
        table="\n".join(_table_row(feature) for feature in features),
        style=_STYLE,
        script=_SCRIPT,
    )


def _curl(example: dict[str, Any]) -> str:
    return (
        "curl http://127.0.0.1:8080/predict -H 'Content-Type: application/json' \\\n  -d "
        + shlex.quote(json.dumps(example))
    )


def _answer_words(served: Served) -> str:
    if served.schema.task == "regression":
        return "a number"
    labels = ", ".join(json.dumps(label) for label in served.labels[:_LEVELS_SHOWN])
    more = ", ..." if len(served.labels) > _LEVELS_SHOWN else ""
    return f"one of {labels}{more}, and probabilities has a number for each"


def _field(feature: Feature, example: Any, position: int) -> str:
    """Return one labelled control; without ``name``, which could shadow the form's own members."""
    name = escape(feature.name)
    marks = f'data-name="{name}" data-kind="{feature.kind}"' + (
        ' data-missing="true" placeholder="missing"' if feature.missing else " required"
    )
    if feature.kind == "boolean":
        choices = (("", "missing"),) * feature.missing + (("false", "false"), ("true", "true"))
        return f"<label>{name}<select {marks}>{_options(choices, 'false')}</select></label>"
    if feature.kind == "number":
        low, high = feature.range or (None, None)
        bounds = "" if low is None else f' min="{low}"'
        bounds += "" if high is None else f' max="{high}"'
        control = f'<input type="number" step="any" {marks}{bounds} value="{example}">'
        return f"<label>{name}{control}</label>"
    if feature.kind == "category" and feature.categories:
        levels = _options([(level, level) for level in feature.categories], "")
        return (
            f'<label>{name}<input type="text" {marks} list="levels-{position}" '
            f'value="{escape(example)}"></label>'
            f'<datalist id="levels-{position}">{levels}</datalist>'
        )
    return f'<label>{name}<input type="text" {marks} value="{escape(example)}"></label>'


def _options(choices: Any, chosen: str) -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(text)}</option>"
        for value, text in choices
    )


def _table_row(feature: Feature) -> str:
    cells = (feature.name, _type_words(feature), _allowed(feature))
    null = "yes" if feature.missing else "no"
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{null}</td></tr>"


def _type_words(feature: Feature) -> str:
    if feature.kind == "category":
        return "text or whole number" if has_integer_levels(feature) else "text"
    return {"number": "number", "boolean": "true or false", "time": "ISO 8601 text"}[feature.kind]


def _allowed(feature: Feature) -> str:
    if feature.range is not None:
        low, high = feature.range
        words = [] if low is None else [f"at least {low:g}"]
        words += [] if high is None else [f"at most {high:g}"]
        return ", ".join(words) or "any finite number"
    if feature.categories:
        more = len(feature.categories) - _LEVELS_SHOWN
        shown = ", ".join(feature.categories[:_LEVELS_SHOWN])
        return f"{shown}{f' and {more} more' if more > 0 else ''}; another level is answered too"
    return {"number": "any finite number", "time": "any, UTC where no zone is given"}.get(
        feature.kind, "any"
    )
