"""What does the body of a plain request hold, found in a few microseconds?

``serving.rows`` reads any body and names what is wrong with it; on 30 fields that takes 60 us. Here
the model's fields become a typed struct that msgspec fills in 1 us. Whatever is not plainly right
is None, and is read again by ``serving.rows``: this module never decides that a body is wrong, and
what it accepts the other one accepts with the same values.

A JSON object may name a field twice, and msgspec takes the last. So the colons are counted: with
every field there and no backslash in the body, a field that stands twice makes more colons than
names and texts account for.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import UNSEEN
from modelwarrant.errors import ContractError
from modelwarrant.windows import Feature, FeatureSchema
from serving.bounds import Bounds
from serving.checks import RefusedError, check_of, has_integer_levels
from serving.instants import seconds_of
from serving.rows import Rows, category_positions, unseen_levels

__all__ = ["QuickReader"]


class QuickReader:
    """Reads right bodies of one schema.

    Args:
        schema: whose rows.
        bounds: of the same schema.
    """

    def __init__(self, schema: FeatureSchema, bounds: Bounds) -> None:
        self._bounds = bounds
        self._names = schema.names
        row = _struct(schema)
        batch = msgspec.defstruct("Batch", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]  # made here
        self._row = None if row is None else msgspec.json.Decoder(row)
        self._batch = None if row is None else msgspec.json.Decoder(batch)
        self._colons = len(schema.names) + sum(name.count(":") for name in schema.names)
        self._texts = tuple(
            position
            for position, feature in enumerate(schema.features)
            if feature.kind in ("category", "time")
        )
        self._categories = category_positions(schema)
        self._coders = {position: _coder(schema.features[position]) for position in self._texts}

    def read(self, body: bytes, *, max_rows: int) -> Rows | None:
        """Return the rows of a body that is plainly right, else None."""
        if self._row is None or self._batch is None or b"\\" in body:
            return None
        is_batch = body.startswith(b'{"rows"') and "rows" not in self._names
        try:
            if is_batch:
                found = self._batch.decode(body).rows  # type: ignore[attr-defined]  # made above
                if not 0 < len(found) <= max_rows:
                    return None
            else:
                found = [self._row.decode(body)]
            rows = [msgspec.structs.astuple(one) for one in found]
            if body.count(b":") != self._expected_colons(rows) + is_batch:
                return None
            return self._encoded(rows, is_batch=is_batch)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # not JSON, or not these fields
        except (RefusedError, ContractError, OverflowError):
            return None  # a value is not what its feature asks for

    def _expected_colons(self, rows: Sequence[tuple[Any, ...]]) -> int:
        inside = sum(
            row[position].count(":")
            for position in self._texts
            for row in rows
            if isinstance(row[position], str)
        )
        return len(rows) * self._colons + int(inside)

    def _encoded(self, rows: Sequence[tuple[Any, ...]], *, is_batch: bool) -> Rows:
        if not self._texts:
            values = np.array(rows, dtype=np.float64)
            self._bounds.check(values)
            return Rows(values, {}, is_batch)
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        values = np.empty((len(rows), len(columns)))
        for position, column in enumerate(columns):
            code = self._coders.get(position)
            values[:, position] = column if code is None else [code(one) for one in column]
        self._bounds.check(values)
        if (values[:, self._categories] == UNSEEN).any():
            return Rows(values, _unseen(values, columns, self._categories), is_batch)
        return Rows(values, {}, is_batch)


def _unseen(
    values: npt.NDArray[np.float64], columns: Sequence[Sequence[Any]], categories: Sequence[int]
) -> Any:
    texts = {position: [str(one) for one in columns[position]] for position in categories}
    return unseen_levels(values, texts)


def _struct(schema: FeatureSchema) -> Any:
    """Return a struct of the schema's fields; None where JSON would have to escape a name."""
    if any(not name.isascii() or not name.isprintable() for name in schema.names):
        return None
    if any(mark in name for name in schema.names for mark in '"\\'):
        return None
    fields = [(f"f{i}", _kind(feature)) for i, feature in enumerate(schema.features)]
    names = {f"f{i}": name for i, name in enumerate(schema.names)}
    return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True)


def _kind(feature: Feature) -> Any:
    kinds: dict[str, Any] = {"number": float, "boolean": bool, "time": str, "category": str}
    kind = kinds[feature.kind]
    if feature.kind == "category" and has_integer_levels(feature):
        kind = str | int
    return kind | None if feature.missing else kind


def _coder(feature: Feature) -> Callable[[Any], float]:
    """Return what encodes one value of a category or a time, as ``encode_columns`` would."""
    if feature.kind == "time":
        read = check_of(feature)

        return lambda value: seconds_of(read(value))
    known: dict[Any, float] = {
        level: float(code) for code, level in enumerate(feature.categories or ())
    }
    if has_integer_levels(feature):
        known |= {int(level): code for level, code in known.items()}
    known[None] = np.nan
    return lambda value: known.get(value, UNSEEN)
