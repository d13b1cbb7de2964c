"""What is one line of the ledger?"""

from typing import Any, Literal

from pydantic import Field

from modelwarrant.records.base import Part, Record

__all__ = ["Blob", "LedgerEntry", "Operation"]

Operation = Literal[
    "genesis",
    "keys",
    "register",
    "decide",
    "promote",
    "rollback",
    "act",
    "tombstone",
    "abort",
    "ratify",
    "upgrade",
]
"""What an entry does to the state; ``registry`` documents each payload."""


class Blob(Part):
    """Bytes that an entry names; they lie at ``m/<model>/blob/<attempt>/<hex>``."""

    name: str
    """File name in the bundle or evidence package."""
    digest: str
    size: int = Field(ge=0)


class LedgerEntry(Record):
    """One signed, chained entry: the bytes of ``m/<model>/log/<seq>.json``."""

    schema_version: Literal[1] = 1
    model: str
    seq: int = Field(ge=1)
    prev: str
    """Digest of the bytes of the entry before; for the first, of a domain tag and the model."""
    op: Operation
    txn: str
    """Run id and step: a retried step is the same txn, and lands once."""
    actor: str
    time: str
    """UTC, ISO 8601; advisory, legality never depends on it."""
    payload: dict[str, Any]
    key: str
    """Id of the signing key: the digest of its raw public bytes."""
    signature: str
    """Ed25519 over the canonical bytes of all the rest, base64."""
