"""Does a request's body hold rows of this schema, and what do they hold?

A request is one row, ``{"field": value, ...}``, or several, ``{"rows": [{...}, ...]}``. Every
feature must be named, each once and no other; ``null`` stands for a missing value where the schema
allows one. Problems name row and field and never repeat a value.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import UNSEEN, encode_columns
from modelwarrant.errors import ContractError, RecordError
from modelwarrant.windows import FeatureSchema
from serving.checks import RefusedError, check_of

__all__ = [
    "NAME_SHOWN",
    "Problem",
    "RowError",
    "RowReader",
    "Rows",
    "Unseen",
    "category_positions",
    "mark_limit",
    "parse_body",
    "shown_name",
    "unseen_levels",
]

_MARKS = (b"{", b"[", b":", b",")

NAME_SHOWN = 80
"""Characters shown of a name that the client chose."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a request; None where the request as a whole is meant."""

    row: int | None
    field: str | None
    problem: str

    def __str__(self) -> str:
        """Return one line naming row and field."""
        where = [] if self.row is None else [f"row {self.row}"]
        where += [] if self.field is None else [f"field {self.field!r}"]
        return f"{', '.join(where)} {self.problem}" if where else self.problem


class RowError(ContractError):
    """The body is JSON, but not rows of this model.

    Args:
        problems: at least one, in the order of rows.
        is_complete: whether these are all; if not, reading stopped after them.
    """

    def __init__(self, problems: Sequence[Problem], *, is_complete: bool = True) -> None:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{others if is_complete else ' (and many more)'}")
        self.problems = tuple(problems)


class Rows(msgspec.Struct, frozen=True):
    """Checked rows of a request, as a bundle reads them.

    Values are encoded already: most requests are answered from the numbers alone, and the
    prediction log turns codes back into levels later, many rows at a time.
    """

    values: npt.NDArray[np.float64]
    """(n, d) float64, n >= 1, encoded as ``modelwarrant.bundle`` says, within the schema."""
    unseen: "Unseen"
    """The text of levels whose code is ``UNSEEN``; drift looks at them."""
    is_batch: bool
    """Whether the client sent several rows; the answer has the same form."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)


Unseen = Mapping[int, Mapping[int, str]]
"""By column, by row: the level a client named that the model does not know, cut to
``UNSEEN_SHOWN`` characters."""

UNSEEN_SHOWN = 200
"""Characters kept of an unseen level: enough to tell levels apart, and no way to fill the memory
with one request's text."""


def unseen_levels(values: npt.NDArray[np.float64], columns: Mapping[int, Sequence[Any]]) -> Unseen:
    """Return the levels that were encoded as ``UNSEEN``.

    Args:
        values: (n, d) float64, the encoded rows.
        columns: the texts of the category columns, by position.
    """
    found: dict[int, dict[int, str]] = {}
    for position, texts in columns.items():
        rows = np.flatnonzero(values[:, position] == UNSEEN)
        if len(rows):
            found[position] = {row: texts[row][:UNSEEN_SHOWN] for row in rows.tolist()}
    return found


def category_positions(schema: FeatureSchema) -> tuple[int, ...]:
    """Return where the schema's categories stand among its features."""
    features = enumerate(schema.features)
    return tuple(position for position, feature in features if feature.kind == "category")


class _Doubled(dict[str, Any]):
    """A JSON object in which a name stood twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.names = tuple(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # set.add returns None, which is falsy


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(pairs)


def mark_limit(schema: FeatureSchema, max_rows: int) -> int:
    """Return how many of the marks ``{ [ : ,`` a request of so many rows may hold.

    One row has two a value and two of its own; the rest is left to texts.
    """
    return 4 * (max_rows + 1) * (len(schema.features) + 1)


def parse_body(body: bytes, *, most_marks: int) -> Any:
    """Parse a request's body; doubled names and NaN are kept for ``RowReader`` to name.

    Args:
        body: what the client sent.
        most_marks: as ``mark_limit`` returns it: each mark may become a Python object, and three
            bytes of JSON as many as 150 of memory.

    Raises:
        RecordError: the body is no UTF-8 or no JSON, or holds more than any request may; the
            message tells where, not what.
    """
    if len(body) > most_marks and sum(map(body.count, _MARKS)) > most_marks:
        raise RecordError("the body holds more names and values than the most rows have")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise RecordError(f"the body is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise RecordError(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise RecordError("the body is nested too deeply") from error
    except ValueError as error:
        raise RecordError("the body holds a number with thousands of digits") from error


class RowReader:
    """Reads the rows of one schema out of parsed JSON."""

    def __init__(self, schema: FeatureSchema) -> None:
        self.schema = schema
        self._names = frozenset(schema.names)
        self._checks = [(feature.name, check_of(feature)) for feature in schema.features]
        self._categories = category_positions(schema)

    def read(self, document: Any, *, max_rows: int, problems_shown: int) -> Rows:
        """Return the checked rows.

        Args:
            document: what ``parse_body`` returned.
            max_rows: more rows are refused.
            problems_shown: reading stops after so many problems, >= 1.

        Raises:
            RowError: the document is not rows of this schema.
        """
        rows, is_batch = self._rows(document, max_rows)
        columns: tuple[list[Any], ...] = tuple([] for _ in self._checks)
        problems: list[Problem] = []
        for position, row in enumerate(rows):
            problems += islice(
                self._fill(columns, position, row), problems_shown + 1 - len(problems)
            )
            if len(problems) > problems_shown:
                raise RowError(problems[:problems_shown], is_complete=False)
        if problems:
            raise RowError(problems)
        named = dict(zip(self.schema.names, columns, strict=True))
        values = encode_columns(named, self.schema)
        texts = {position: columns[position] for position in self._categories}
        return Rows(values, unseen_levels(values, texts), is_batch)

    def _rows(self, document: Any, max_rows: int) -> tuple[list[Any], bool]:
        if not isinstance(document, dict):
            problem = 'send one row as {"field": value, ...}, or {"rows": [{...}, ...]}'
            raise RowError([Problem(None, None, problem)])
        rows = document.get("rows")
        if not isinstance(rows, list):  # a feature may be called "rows", but is never a list
            return [document], False
        beside = [name for name in document if name != "rows"]
        if isinstance(document, _Doubled):
            beside += document.names
        if beside:
            raise RowError([Problem(None, shown_name(beside[0]), "may not stand beside 'rows'")])
        if not rows:
            raise RowError([Problem(None, "rows", "holds no row")])
        if len(rows) > max_rows:
            raise RowError([Problem(None, "rows", f"holds more than {max_rows:,} rows")])
        return rows, True

    def _fill(self, columns: Sequence[list[Any]], position: int, row: Any) -> Iterator[Problem]:
        """Append the row's values, one a column; yield what is wrong with them."""
        if not isinstance(row, dict):
            yield Problem(position, None, "is not an object of named fields")
            return
        if isinstance(row, _Doubled):
            for name in dict.fromkeys(row.names):
                yield Problem(position, shown_name(name), "stands more than once")
        if row.keys() != self._names:
            for name in row:
                if name not in self._names:
                    yield Problem(position, shown_name(name), "is not a field of this model")
        for column, (name, check) in zip(columns, self._checks, strict=True):
            if name not in row:
                yield Problem(position, name, "is absent")
                continue
            try:
                column.append(check(row[name]))
            except RefusedError as refused:
                yield Problem(position, name, str(refused))


def shown_name(name: str) -> str:
    """Return a client's name so that any encoder can write it, and not at any length."""
    text = name.encode("utf-8", "replace").decode()
    return text if len(text) <= NAME_SHOWN else text[: NAME_SHOWN - 3] + "..."
