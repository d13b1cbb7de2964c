"""Which small pieces does a page consist of, and how does each become HTML?

A piece knows its own markup (``__html__``), so a template writes ``{{ value }}`` whatever the value
is; every text in it goes through ``escaped`` first.
"""

import dataclasses
import math
from typing import Protocol

from markupsafe import Markup, escape

from modelwarrant.records import DriftLevel, Verdict
from modelwarrant.reports.figures import short_digest, shorten, visible

__all__ = [
    "Cell",
    "Digest",
    "Fact",
    "Mark",
    "Table",
    "escaped",
    "level_mark",
    "unknown",
    "verdict_mark",
]


class Html(Protocol):
    """Anything that is its own markup."""

    def __html__(self) -> str:
        """Return safe HTML."""
        ...


Cell = str | Html
"""What stands in a table or a fact: a text, which is escaped, or a piece."""


def escaped(value: object) -> Markup:
    """Return any value as safe HTML; texts are made visible and no longer than a page can show.

    >>> escaped("<b>")
    Markup('&lt;b&gt;')
    """
    if hasattr(value, "__html__"):
        return escape(value)
    return escape(visible(shorten(str(value))))


SIGNS = {"good": "✓", "notice": "▲", "bad": "✕", "unknown": "?", "plain": "·"}
"""A tone's shape: colour is never the only sign."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A word with a tone: good, notice, bad, unknown or plain."""

    word: str
    tone: str

    def __html__(self) -> str:
        """Return the word after the sign of its tone."""
        sign = f'<span aria-hidden="true">{SIGNS[self.tone]}</span>'
        return f'<span class="mark {self.tone}">{sign} {escaped(self.word)}</span>'


@dataclasses.dataclass(frozen=True)
class Digest:
    """A digest, short until it is opened; None where the record has none."""

    full: str | None

    def __html__(self) -> str:
        """Return the short digest; opening it shows all of it."""
        if self.full is None:
            return '<span class="quiet">none</span>'
        full = escaped(self.full)
        short = escaped(short_digest(self.full))
        return (
            f'<details class="digest"><summary title="{full}"><code>{short}</code></summary>'
            f"<code>{full}</code></details>"
        )


@dataclasses.dataclass(frozen=True)
class Fact:
    """A name with a value, and perhaps a remark."""

    name: str
    value: Cell
    note: Cell = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows under headers; the first cell of a row names it, ``numeric`` columns stand right."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


def unknown(reason: str | None) -> str:
    """Return what stands in the place of an undefined number.

    >>> unknown("198 rows, 500 needed")
    'not known: 198 rows, 500 needed'
    """
    return f"not known: {reason}" if reason else "not known"


_LEVELS: dict[str, tuple[str, str]] = {
    "none": ("no drift", "good"),
    "notice": ("notice", "notice"),
    "drift": ("drift", "bad"),
    "unknown": ("not known", "unknown"),
    "blocked": ("blocked", "bad"),
    "block": ("blocked", "bad"),
    "warn": ("warning", "notice"),
    "ok": ("ok", "good"),
    "harmed": ("harmed", "bad"),
    "unclear": ("unclear", "unknown"),
    "degraded": ("degraded", "bad"),
}


def level_mark(level: str) -> Mark:
    """Return the mark of a level of drift, a gate, a slice, calibration or the champion."""
    word, tone = _LEVELS.get(level, (level, "plain"))
    return Mark(word, tone)


_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "PROMOTE": ("Promote", "good"),
    "NEEDS_APPROVAL": ("Needs approval", "notice"),
    "HOLD": ("Hold", "unknown"),
    "REJECT": ("Reject", "bad"),
}


def verdict_mark(verdict: Verdict) -> Mark:
    """Return the mark of a verdict."""
    return Mark(*_VERDICTS[verdict])


_SEVERITY: dict[DriftLevel, int] = {
    "blocked": 0,
    "drift": 1,
    "unknown": 2,
    "notice": 3,
    "none": 4,
}


def severity(level: DriftLevel, weight: float | None, size: float | None) -> tuple[float, ...]:
    """Return what sorts the worst feature first: level, then importance, then effect.

    A feature that nobody could test comes before one that was tested and moved a little.
    """
    return (
        _SEVERITY[level],
        math.inf if weight is None else -weight,
        math.inf if size is None else -size,
    )
