"""Where does the gate learn what the shadow saw?

One object a process and pair of versions, written anew as the numbers grow; its fields are those of
``modelwarrant.records.ShadowReport``. Whatever fails here is told and changes nothing else.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwarrant.errors import WarrantError
from modelwarrant.registry.layout import log_key
from modelwarrant.storage import ObjectStore

if TYPE_CHECKING:
    from serving.shadow import Beside

__all__ = ["ShadowLog"]


class ShadowLog:
    """Writes what a comparison has come to.

    Args:
        store: where it goes.
        prefix: of every object's name: the pod, and a boot id that no other process has.
        log: told of what could not be written.
        now: the time.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        prefix: str,
        log: logging.Logger,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._log = log
        self._now = now
        self._began: dict[str, str] = {}
        self._written: dict[str, int] = {}

    def write(self, beside: "Beside") -> None:
        """Write the comparison where rows were added since it was written last."""
        rows = beside.comparison.rows
        key = self._key(beside)
        if not rows or self._written.get(key) == rows:
            return
        try:
            self._put(beside, key)
        except WarrantError as error:
            self._log.warning("shadow_not_written", extra={"fields": {"error": str(error)}})
            return
        self._written[key] = rows

    def _put(self, beside: "Beside", key: str) -> None:
        if self._store.get(log_key(beside.served.model, 1)) is None:
            return  # the store is gone, and a folder is not made anew
        until = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document = _document(beside, since=self._began.setdefault(key, until), until=until)
        self._store.put(key, json.dumps(document).encode())

    def _key(self, beside: "Beside") -> str:
        other, served = (each.bundle.digest[7:] for each in (beside.other, beside.served))
        model = beside.served.model
        return f"shadow/{model}/{other}/{self._prefix}-{served[:12]}.json"


def _document(beside: "Beside", *, since: str, until: str) -> dict[str, Any]:
    compared = beside.comparison
    return {
        "schema_version": 1,
        "model": beside.served.model,
        "role": beside.role,
        "production": beside.served.version,
        "production_digest": beside.served.bundle.digest,
        "version": beside.other.version,
        "version_digest": beside.other.bundle.digest,
        "since": since,
        "until": until,
        "rows": compared.rows,
        "dropped": compared.dropped,
        "failures": compared.failures,
        "disagreements": compared.disagreements,
        "difference": compared.difference,
        "largest": compared.largest,
        "seconds": compared.seconds,
        "production_scores": _floats(compared.served_sums),
        "scores": _floats(compared.other_sums),
    }


def _floats(sums: Any) -> list[float]:
    return [] if sums is None else sums.tolist()
