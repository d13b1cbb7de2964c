"""What is counted of a category in one window, in one pass and bounded memory?"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from modelwarrant.errors import RecordError

__all__ = ["MAX_LEVELS", "CategoryProfile", "category_profile"]

MAX_LEVELS = 10_000
"""Levels kept by name. Beyond, a column is an identifier rather than a category."""

_BUCKETS = 4096
"""Buckets that stand for the levels of a column with more than ``MAX_LEVELS``."""


@dataclass(frozen=True)
class CategoryProfile:
    """Counts of a category's or boolean's levels; profiles add.

    With more than ``MAX_LEVELS`` levels ``hashed`` is true and ``counts`` is over 4,096 buckets of
    a fixed hash of the level. Which of the two forms a sum has depends on its set of levels alone,
    so the profile of parts is that of the whole.
    """

    counts: tuple[tuple[str, int], ...]
    """Level and count, sorted by level, none zero."""
    missing: int
    hashed: bool = False

    @property
    def rows(self) -> int:
        """Values that are not missing."""
        return sum(count for _, count in self.counts)

    @property
    def levels(self) -> dict[str, int]:
        """Count by level."""
        return dict(self.counts)

    def __add__(self, other: "CategoryProfile") -> "CategoryProfile":
        """Return the profile of both windows' rows together."""
        first, second = self.counts, other.counts
        if self.hashed != other.hashed:
            first, second = (
                part.counts if part.hashed else _hashed(part.counts) for part in (self, other)
            )
        return _bounded(
            (*first, *second), self.missing + other.missing, self.hashed or other.hashed
        )

    def to_hashed(self) -> "CategoryProfile":
        """Return the same counts over buckets, to be compared with a hashed profile."""
        if self.hashed:
            return self
        return CategoryProfile(_hashed(self.counts), self.missing, hashed=True)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "kind": "category",
            "counts": [list(pair) for pair in self.counts],
            "missing": self.missing,
            "hashed": self.hashed,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            RecordError: a part is absent or of the wrong type.
        """
        try:
            counts = tuple((str(level), int(count)) for level, count in value["counts"])
            return cls(counts, int(value["missing"]), bool(value["hashed"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"not a category's profile: {error!r}") from error


def category_profile(counts: Mapping[str, int], *, missing: int) -> CategoryProfile:
    """Make the profile of one part of a window.

    Args:
        counts: rows by level, as ``Window.level_counts`` gives them; levels without a row are left
            out.
        missing: rows without a level.

    >>> category_profile({"b": 1, "a": 2, "c": 0}, missing=1).counts
    (('a', 2), ('b', 1))
    """
    return _bounded(((level, count) for level, count in counts.items() if count), missing, False)


def _bounded(pairs: Iterable[tuple[str, int]], missing: int, hashed: bool) -> CategoryProfile:
    counts = _total(pairs)
    if not hashed and len(counts) > MAX_LEVELS:
        return CategoryProfile(_hashed(counts), missing, hashed=True)
    return CategoryProfile(counts, missing, hashed)


def _total(pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    totals: dict[str, int] = {}
    for level, count in pairs:
        totals[level] = totals.get(level, 0) + count
    return tuple(sorted(totals.items()))


def _hashed(pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return _total((f"bucket {zlib.crc32(level.encode()) % _BUCKETS:04d}", n) for level, n in pairs)
