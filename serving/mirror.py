"""What can be served when the store is gone at a restart?

The mirror is a store of its own on the local disk, with the same keys: the ledger's entries and the
blobs of the version that was served. What comes out of it is verified exactly like what comes out
of the store, so a changed cache is found too.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from modelwarrant.canonical import Json, canonical_json, digest_bytes
from modelwarrant.errors import RecordError, TamperedError
from modelwarrant.registry import State
from modelwarrant.registry.layout import attempts_prefix, blob_key, log_key
from modelwarrant.storage import DirectoryStore, ObjectStore
from serving.loading import fetch_blobs, warrant_blobs
from serving.warrants import warrant_of

__all__ = ["Head", "Mirror", "mirror_of"]


@dataclass(frozen=True)
class Head:
    """The newest entry that was verified, and when."""

    seq: int
    digest: str
    """Of the entry's bytes."""
    verified_at: datetime


class Mirror:
    """The last verified ledger and bundle of one model.

    Args:
        store: on the local disk; nothing else may write to it.
    """

    def __init__(self, store: ObjectStore, model: str) -> None:
        self.store = store
        self._model = model
        self._kept = 0
        """Newest entry that this process has copied."""

    @property
    def _head_key(self) -> str:
        return f"served/{self._model}.json"

    def head(self) -> Head | None:
        """Return the newest entry seen before this process began, None on a first start."""
        data = self.store.get(self._head_key)
        if data is None:
            return None
        try:
            said = json.loads(data)
            at = datetime.fromisoformat(said["verified_at"])
            return Head(int(said["seq"]), str(said["digest"]), at)
        except (ValueError, KeyError, TypeError) as error:
            raise RecordError(
                f"the cache's {self._head_key} in {self.store.uri} cannot be read; "
                "delete that folder to follow the store anew"
            ) from error

    def keep(self, state: State, origin: ObjectStore) -> None:
        """Copy the ledger and what its production version is served from; other blobs go.

        Args:
            state: the fold of the entries that are copied.
            origin: the store they lie in.

        Raises:
            TamperedError: the origin's bytes are not those that were folded.
        """
        self.keep_entries(state, origin)
        warrant = warrant_of(state)
        blobs = {} if warrant is None else fetch_blobs(origin, self._model, warrant)
        kept = set()
        if warrant is not None:
            for name, (attempt, blob) in warrant_blobs(warrant).items():
                key = blob_key(self._model, attempt, blob.digest)
                self._hold(key, blobs[name])
                kept.add(key)
        for key in list(self.store.list(attempts_prefix(self._model))):
            if key not in kept:
                self.store.delete(key)

    def keep_entries(self, state: State, origin: ObjectStore) -> None:
        """Copy the ledger alone; see ``keep``."""
        for landed in state.txns.values():
            key = log_key(self._model, landed.seq)
            if landed.seq > self._kept:
                self._hold(key, _verified(origin, key, landed.digest))
        self._kept = state.seq

    def _hold(self, key: str, data: bytes) -> None:
        """Write what is not there, and what is there but altered."""
        if self.store.get(key) != data:
            self.store.put(key, data)

    def mark(self, head: Head) -> None:
        """Remember the newest entry and when it was verified, after ``keep``."""
        said: dict[str, Json] = {
            "seq": head.seq,
            "digest": head.digest,
            "verified_at": head.verified_at.isoformat(),
        }
        self.store.put(self._head_key, canonical_json(said))


def mirror_of(store: ObjectStore, model: str, cache: Path) -> Mirror:
    """Return the mirror of a store's model below a folder that may hold those of others."""
    own = digest_bytes(store.uri.encode()).removeprefix("sha256:")[:16]
    return Mirror(DirectoryStore(cache / own), model)


def _verified(store: ObjectStore, key: str, digest: str) -> bytes:
    data = store.get(key)
    if data is None or digest_bytes(data) != digest:
        raise TamperedError(f"{key} is gone or was altered")
    return data
