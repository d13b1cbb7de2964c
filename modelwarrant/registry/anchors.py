"""How far does somebody outside the store vouch for a log?

An anchor is the seq and digest of one entry, kept where a writer of the store cannot reach: beside
a laptop's key, in a request's status, in a file somebody was sent. It also lies in the store as
``head.json``, signed: a hint, and a witness against a log that was cut off.
"""

from collections.abc import Mapping
from typing import Literal

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import RecordError, TamperedError
from modelwarrant.records.base import Part, Record
from modelwarrant.registry.keys import Signer, is_signed_by
from modelwarrant.registry.layout import head_key

__all__ = ["Anchor", "Head", "parse_head", "signed_head"]


class Anchor(Part):
    """An entry that was there once."""

    model: str
    seq: int
    digest: str
    """Digest of the entry's bytes."""


class Head(Record):
    """The signed anchor at ``head.json``."""

    schema_version: Literal[1] = 1
    model: str
    seq: int
    entry_digest: str
    key: str
    signature: str

    @property
    def anchor(self) -> Anchor:
        """What it vouches for."""
        return Anchor(model=self.model, seq=self.seq, digest=self.entry_digest)


def signed_head(anchor: Anchor, signer: Signer) -> Head:
    """Sign an anchor."""
    head = Head(
        model=anchor.model,
        seq=anchor.seq,
        entry_digest=anchor.digest,
        key=signer.public.id,
        signature="",
    )
    return head.model_copy(update={"signature": signer.sign(_signed_bytes(head))})


def parse_head(data: bytes, *, model: str, keys: Mapping[str, str]) -> Head:
    """Read ``head.json``.

    Args:
        data: its bytes.
        model: whose it must be.
        keys: every key that was ever in force, id to public bytes.

    Raises:
        TamperedError: its bytes, model or signature are not right.
    """
    name = head_key(model)
    try:
        head = Head.from_bytes(data, name=name)
        is_canonical = head.to_bytes() == data
    except RecordError as error:
        raise TamperedError(f"{name} was altered: {error}") from error
    public = keys.get(head.key)
    if (
        not is_canonical
        or head.model != model
        or public is None
        or not is_signed_by(public, head.signature, _signed_bytes(head))
    ):
        raise TamperedError(f"{name} was altered: it is not signed by a key of this ledger")
    return head


def _signed_bytes(head: Head) -> bytes:
    return canonical_json({"head": head.model_dump(mode="json", exclude={"signature"})})
