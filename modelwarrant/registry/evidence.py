"""Which files let somebody without modelwarrant check how a version came to be?

The ledger from its first entry on, the documents of the version's decision, the policy and signers
in force, what is not proven, and a verifier. A pure function of the ledger: two exports of one
ledger are the same bytes. No model and no rows of data are among them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import UnknownModelError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import verify_bundle
from modelwarrant.registry.approvals import signed_statements
from modelwarrant.registry.blobs import read_blob
from modelwarrant.registry.ledger import Ledger
from modelwarrant.registry.payloads import (
    ApprovalUse,
    Decide,
    Payload,
    Promote,
    Ratify,
    Register,
    parse_payload,
)
from modelwarrant.registry.state import Decided, State, Version

__all__ = ["evidence_files"]

_LEFT_OUT = frozenset({"model.onnx"})
"""The model itself: large, perhaps confidential, and named by its digest."""


def evidence_files(ledger: Ledger, number: int) -> dict[str, bytes]:
    """Return the bundle's files by their path.

    Args:
        ledger: verified from its first entry on as it is read.
        number: the version.

    Raises:
        UnknownModelError: no such version, or it was never decided on.
        TamperedError: names the first object that is not right.
    """
    walked = list(ledger.walk())
    last = walked[-1][1] if walked else State.empty(ledger.model)
    version, decided = last.version(number), _decided(last, number)
    files: dict[str, bytes] = {}
    count = 0
    for entry, _ in walked:
        files[f"ledger/{entry.seq:012d}.json"] = entry.to_bytes()
        for name, data in _documents(ledger, entry, number):
            files[f"documents/{entry.seq:012d}/{name}"] = data
        for statement, signature in signed_statements(entry):
            count += 1
            path = f"signed/{entry.seq:012d}-{count}"
            files |= {f"{path}.json": statement, f"{path}.sig": signature.encode()}
    files["bundle.json"] = canonical_json(
        {
            "schema_version": 1,
            "model": ledger.model,
            "version": number,
            "genesis": last.genesis,
            "head": last.head,
        }
    )
    approvals: tuple[ApprovalUse, ...] = ()
    before = last
    if version.promoted is not None:
        promotion = _payload(walked[version.promoted - 1][0])
        before = walked[version.promoted - 2][1]
        approvals = promotion.approvals if isinstance(promotion, Promote) else ()
    said = _not_proven(last, version, decided, _weak(approvals, before))
    files["NOT-PROVEN.md"] = said.encode()
    files["verify.py"] = Path(verify_bundle.__file__).read_bytes()
    sums = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files["SHA256SUMS"] = "".join(sums).encode()
    return files


def _decided(state: State, number: int) -> Decided:
    found = [each for each in state.decisions.values() if each.version == number]
    if not found:
        raise UnknownModelError(f"{state.model} version {number} has no recorded decision")
    return found[-1]


def _documents(ledger: Ledger, entry: LedgerEntry, number: int) -> Iterator[tuple[str, bytes]]:
    """Yield the documents that an entry names, where it is about the version or the rules."""
    payload = _payload(entry)
    if isinstance(payload, Register | Decide | Ratify) and _is_wanted(entry, payload, number):
        for blob in payload.blobs:
            if blob.name not in _LEFT_OUT:
                yield blob.name, read_blob(ledger.store, ledger.model, payload.attempt, blob)


def _is_wanted(entry: LedgerEntry, payload: Payload, number: int) -> bool:
    if isinstance(payload, Decide):
        return payload.version == number
    return isinstance(payload, Ratify) or entry.seq == number


def _payload(entry: LedgerEntry) -> Payload:
    return parse_payload(entry.op, entry.payload, name=f"entry {entry.seq}")


def _weak(approvals: Sequence[ApprovalUse], before: State) -> Iterator[str]:
    """Say which of a promotion's approvals show less than they seem to."""
    for use in approvals:
        if use.signature is None:
            yield f"That {use.approver} approved: no signature; asserted, not proven."
        elif before.signers is None:
            yield f"That {use.approver} approved: signed, but no list of signers was ratified."
        if use.self_approved:
            yield f"That a second person looked: {use.approver} asked and approved, and says so."


def _not_proven(state: State, version: Version, decided: Decided, weak: Iterable[str]) -> str:
    """Say what this bundle does not show."""
    points = [
        "That the measurements are true: the verdict follows from the recorded evidence, but the "
        "evidence is as trustworthy as the process that measured it.",
        "That the data were what their names say: windows are named by digest, no row is included.",
        "That the model's bytes are those in use: they are named by digest and not included.",
        "When things happened: the times in the entries are the writers' own.",
        "That the ledger goes no further: an entry after the last one here could have been left "
        "out. An anchor from outside (`--anchor`) vouches up to its entry.",
        "That this is the ledger you mean: compare the digest of its first entry "
        f"({state.genesis}) with one from a source you trust (`--genesis`).",
        "That verify.py here is the project's own: take it from the project instead.",
    ]
    if state.mode == "laptop":
        points.append(
            "That the persons are different persons: this is a laptop's ledger, its keys lie with "
            "whoever runs it, and a name is what somebody typed."
        )
    points += weak
    if version.promoted is None:
        points.append(f"That version {version.number} was ever in production: it was not.")
    if state.policy is not None and state.policy.self_approved:
        points.append("That a second person ratified the policy: its author did.")
    lines = [
        f"# What this bundle does not prove about {state.model}@{version.number}",
        "",
        f"Decision: {decided.verdict} by rule `{decided.rule}` (entry {decided.seq}). Not shown:",
        "",
        *(f"- {point}" for point in points),
        "",
    ]
    return "\n".join(lines)
