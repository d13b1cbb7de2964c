"""How do labels from a file come into the store?"""

from pathlib import Path
from typing import Any

from gate.situation import production_of
from modelwarrant.cli.knowledge import Place, models
from modelwarrant.cli.scoring import version_bundle
from modelwarrant.errors import UnknownModelError
from modelwarrant.sources import read_table
from modelwarrant.telemetry import add_statements, statements_of

__all__ = ["add_labels"]

_LABEL = "label"


def add_labels(
    place: Place, file: str, *, model: str | None, key: str, label: str | None
) -> dict[str, Any]:
    """Keep a file's labels; the same file again changes nothing.

    Args:
        place: the store.
        file: CSV or Parquet.
        model: whose predictions they are about; None where the store has one model only.
        key: column of the request's id.
        label: column of the label; None takes ``label``, or the target's own name.

    Raises:
        UnknownModelError: no such model, none in production, or which one is not said.
        DataError: the file is not what it must be; nothing was added.
    """
    if model is None:
        known = models(place)
        if len(known) != 1:
            names = ", ".join(known) or "none yet"
            raise UnknownModelError(f"which model's labels? add --model; the store has {names}")
        model = known[0]
    version = production_of(place.state(model))
    schema = version_bundle(place, model, version).schema
    table = read_table(file, base=Path.cwd())
    if label is None:
        label = _LABEL if _LABEL in table.column_names else schema.target or _LABEL
    statements, missing = statements_of(table, schema, key=key, label=label, now=place.now)
    added = add_statements(place.store, model, statements, missing=missing)
    return {
        "model": model,
        "part": added.key,
        "new": added.is_new,
        "labels": added.statements,
        "missing": added.missing,
        "repeated": added.repeated,
    }
