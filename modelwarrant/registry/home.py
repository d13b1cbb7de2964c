"""What does a laptop remember outside the store?

Its signing key, and for every ledger the digest of the first entry and the newest anchor. Whoever
can write the store can replace a whole ledger by a new one; what lies here notices. So this folder
must not lie inside a store.
"""

import hashlib
from pathlib import Path
from typing import Literal

from modelwarrant.errors import RegistryError
from modelwarrant.records.base import Record
from modelwarrant.registry.anchors import Anchor
from modelwarrant.registry.keys import Signer
from modelwarrant.storage import DirectoryStore

__all__ = ["LaptopHome", "Pin"]

_KEY = "signing-key.pem"


class Pin(Record):
    """What is remembered of one ledger."""

    schema_version: Literal[1] = 1
    store: str
    model: str
    genesis: str
    """Digest of the first entry."""
    anchor_seq: int
    anchor_digest: str
    """Digest of entry ``anchor_seq``, which was there once."""

    @property
    def anchor(self) -> Anchor:
        """What this laptop vouches for."""
        return Anchor(model=self.model, seq=self.anchor_seq, digest=self.anchor_digest)


class LaptopHome:
    """A person's folder for keys and pins; made on first use, readable by its owner only.

    Args:
        folder: ``WARRANT_HOME``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._files = DirectoryStore(self.folder, file_mode=0o600, folder_mode=0o700)

    def signer(self) -> Signer:
        """Return this person's key; made on first use, by one of any number of processes.

        Raises:
            RegistryError: the key can be read by others, or cannot be read at all.
        """
        if self._files.get(_KEY) is None:
            self._files.create(_KEY, Signer.generate().to_pem())
        path = self.folder / _KEY
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise RegistryError(
                f"{path} can be used by others (mode {mode:04o}); if nobody copied it: "
                f"chmod 600 {path}"
            )
        return Signer.from_pem(self._files.get(_KEY) or b"", name=str(path))

    def pin(self, store_uri: str, model: str) -> Pin | None:
        """Return what is remembered of a ledger, None for one never seen."""
        key = _pin_key(store_uri, model)
        data = self._files.get(key)
        return None if data is None else Pin.from_bytes(data, name=str(self.folder / key))

    def remember(self, pin: Pin) -> None:
        """Remember a ledger as it is now."""
        self._files.put(_pin_key(pin.store, pin.model), pin.to_bytes())


def _pin_key(store_uri: str, model: str) -> str:
    named = f"{store_uri}\n{model}".encode()
    return f"ledgers/{hashlib.sha256(named).hexdigest()}.json"
