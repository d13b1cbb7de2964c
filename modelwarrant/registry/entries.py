"""What are the bytes of an entry, and are these an entry?

Canonical JSON, chained to the entry before by the digest of its bytes, signed over all the rest. A
chain alone authenticates nothing: whoever can write the store can append a well-chained entry.
"""

from datetime import UTC, datetime

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import RecordError, TamperedError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry.keys import Signer, is_signed_by
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.payloads import Payload, checked_moment, operation_of

__all__ = ["SCHEMA_VERSION", "parse_entry", "signed_entry", "utc_text", "verified_by"]

SCHEMA_VERSION = 1
"""The schema that this program writes and the newest that it reads."""


def utc_text(moment: datetime) -> str:
    """Return a moment as records write it.

    Raises:
        ValueError: the moment has no time zone.

    >>> utc_text(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    '2026-01-02T03:04:05.678Z'
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signed_entry(
    payload: Payload,
    *,
    model: str,
    seq: int,
    prev: str,
    txn: str,
    actor: str,
    now: datetime,
    signer: Signer,
) -> LedgerEntry:
    """Build and sign an entry."""
    unsigned = LedgerEntry(
        model=model,
        seq=seq,
        prev=prev,
        op=operation_of(payload),
        txn=txn,
        actor=actor,
        time=utc_text(now),
        payload=payload.model_dump(mode="json"),
        key=signer.public.id,
        signature="",
    )
    return unsigned.model_copy(update={"signature": signer.sign(_signed_bytes(unsigned))})


def parse_entry(data: bytes, *, model: str, seq: int, prev: str) -> LedgerEntry:
    """Read the bytes that lie at ``log/<seq>``; the signature is not looked at yet.

    Raises:
        TamperedError: not the canonical bytes of an entry of this model at this place in the chain.
    """
    name = log_key(model, seq)
    try:
        entry = LedgerEntry.from_bytes(data, name=name)
        is_canonical = entry.to_bytes() == data
        checked_moment(entry.time)
    except (RecordError, ValueError) as error:
        raise TamperedError(f"{name} was altered: {error}") from error
    if not is_canonical:
        raise TamperedError(f"{name} was altered: its bytes are not canonical JSON")
    for field, found, expected in (
        ("model", entry.model, model),
        ("seq", entry.seq, seq),
        ("prev", entry.prev, prev),
    ):
        if found != expected:
            raise TamperedError(
                f"{name} was altered or does not belong here: {field} is {found!r}, "
                f"expected {expected!r}"
            )
    return entry


def verified_by(entry: LedgerEntry, data: bytes, public: str) -> bool:
    """Return whether the entry is signed by this public key (raw, base64).

    Args:
        entry: parsed from the data.
        data: its canonical bytes.
        public: raw, base64.
    """
    member = f',"signature":"{entry.signature}"'.encode()
    # The last one: behind the signature stand two texts only, in which no bare quote can be.
    place = data.rfind(member)
    return is_signed_by(public, entry.signature, data[:place] + data[place + len(member) :])


def _signed_bytes(entry: LedgerEntry) -> bytes:
    return canonical_json(entry.model_dump(mode="json", exclude={"signature"}))
