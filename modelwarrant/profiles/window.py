"""What is counted of a whole window, so that parts can be counted anywhere and added?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

from modelwarrant.canonical import canonical_json, parse_json
from modelwarrant.errors import RecordError, SchemaMismatchError
from modelwarrant.profiles.categories import CategoryProfile, category_profile
from modelwarrant.profiles.edges import NumberEdges, number_edges
from modelwarrant.profiles.numbers import NumberProfile, number_profile, sorted_numbers
from modelwarrant.windows import Kind, Window

__all__ = ["WindowProfile", "add_profiles", "column_profile", "profile_window"]

_VERSION = 1


@dataclass(frozen=True)
class WindowProfile:
    """One profile a feature, and the number of rows. Its size does not depend on the rows."""

    rows: int
    columns: Mapping[str, NumberProfile | CategoryProfile]

    @property
    def edges(self) -> dict[str, NumberEdges]:
        """The edges of each number, to count another window along."""
        return {
            name: column.edges
            for name, column in self.columns.items()
            if isinstance(column, NumberProfile)
        }

    def to_bytes(self) -> bytes:
        """Return the profile's canonical JSON."""
        columns = [{"name": name, **column.to_json()} for name, column in self.columns.items()]
        return canonical_json({"schema_version": _VERSION, "rows": self.rows, "columns": columns})

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str) -> Self:
        """Read a profile.

        Args:
            data: what ``to_bytes`` returned.
            name: the file or object read, for the error message.

        Raises:
            RecordError: not a profile, or of an unknown version.
        """
        value = parse_json(data, name=name)
        if not isinstance(value, dict) or value.get("schema_version") != _VERSION:
            raise RecordError(f"{name}: not a window's profile of version {_VERSION}")
        try:
            return cls(int(value["rows"]), {c["name"]: _column(c) for c in value["columns"]})
        except (KeyError, TypeError, RecordError) as error:
            raise RecordError(f"{name}: not a window's profile: {error}") from error


def profile_window(
    window: Window, *, edges: Mapping[str, NumberEdges] | None = None
) -> WindowProfile:
    """Count every feature of a window, or of one part of it (a Parquet row group, say).

    Args:
        window: the rows. One column is sorted at a time, so memory above the window is one column.
        edges: the edges of every number, from ``WindowProfile.edges`` of the reference. None takes
            them from this window, which makes it the reference. A reference larger than memory
            takes them from a sample of its rows: its bins are then not exact deciles, its counts
            are exact all the same.

    Raises:
        SchemaMismatchError: a number has no edges.
    """
    columns = {
        feature.name: column_profile(window, feature.name, feature.kind, edges=edges)
        for feature in window.schema.features
    }
    return WindowProfile(len(window), columns)


def column_profile(
    window: Window, name: str, kind: Kind, *, edges: Mapping[str, NumberEdges] | None
) -> NumberProfile | CategoryProfile:
    """Count one feature; see ``profile_window``."""
    if kind in ("category", "boolean"):
        counts, missing = window.level_counts(name)
        return category_profile(counts, missing=missing)
    numbers = sorted_numbers(window.numbers(name))
    if edges is None:
        return number_profile(numbers, number_edges(numbers.values))
    if name not in edges:
        raise SchemaMismatchError(
            f"feature {name!r} has no edges: it is no number in the reference"
        )
    return number_profile(numbers, edges[name])


def add_profiles(parts: Iterable[WindowProfile]) -> WindowProfile:
    """Return the profile of all parts together, the same in any order.

    Raises:
        ValueError: no part, other columns, or other edges.
    """
    return reduce(_add, parts)


def _add(first: WindowProfile, second: WindowProfile) -> WindowProfile:
    if list(first.columns) != list(second.columns):
        raise ValueError("profiles of different columns do not add")
    return WindowProfile(
        first.rows + second.rows,
        {name: _added(column, second.columns[name]) for name, column in first.columns.items()},
    )


def _added(
    first: NumberProfile | CategoryProfile, second: NumberProfile | CategoryProfile
) -> NumberProfile | CategoryProfile:
    if isinstance(first, NumberProfile) and isinstance(second, NumberProfile):
        return first + second
    if isinstance(first, CategoryProfile) and isinstance(second, CategoryProfile):
        return first + second
    raise ValueError("a number's profile and a category's do not add")


def _column(value: Mapping[str, Any]) -> NumberProfile | CategoryProfile:
    if value["kind"] == "category":
        return CategoryProfile.from_json(value)
    return NumberProfile.from_json(value)
