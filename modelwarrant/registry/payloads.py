"""What does each operation of the ledger say?

One frozen model an operation; an unknown field, a malformed digest or an unsafe file name is
refused when it is written and again whenever it is read.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import RecordError
from modelwarrant.records import Blob, Operation, Verdict
from modelwarrant.records.base import Part

__all__ = [
    "Abort",
    "Act",
    "ApprovalUse",
    "Decide",
    "Genesis",
    "Keys",
    "Mode",
    "Payload",
    "Promote",
    "PublicKey",
    "Ratify",
    "Register",
    "Rollback",
    "Tombstone",
    "Upgrade",
    "checked_moment",
    "operation_of",
    "parse_payload",
]

Mode = Literal["laptop", "cluster"]
"""``laptop`` alone allows a person to approve what that person asked for."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Attempt = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Private name space of one try: its blobs lie below it, and ``abort`` fences it for ever."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
"""As long as a cluster's API server lets a user name be."""

Uid = Annotated[str, StringConstraints(min_length=1, max_length=400)]
"""Of an approval: the request's id and the approver."""

Seq = Annotated[int, Field(ge=1, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
"""JSON's true or false, and nothing that merely reads like it."""


def checked_moment(text: str) -> str:
    """Return a moment if it is written as ``entries.utc_text`` does.

    Raises:
        ValueError: another form, or no such time.

    >>> checked_moment("2026-01-02T03:04:05.678Z")
    '2026-01-02T03:04:05.678Z'
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no time in UTC with milliseconds")
    datetime.fromisoformat(text)
    return text


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z", re.ASCII)
Moment = Annotated[str, AfterValidator(checked_moment)]
"""As ``entries.utc_text`` writes it."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def _safe_blobs(blobs: tuple[Blob, ...]) -> tuple[Blob, ...]:
    """Names become file names when evidence is exported, so they must not leave the folder."""
    names = [blob.name for blob in blobs]
    if len(set(names)) != len(names):
        raise ValueError("a file name stands twice")
    for blob in blobs:
        if not _FILE_NAME.fullmatch(blob.name):
            raise ValueError(f"{blob.name!r} is no safe file name")
        if not _DIGEST.fullmatch(blob.digest):
            raise ValueError(f"{blob.name}: {blob.digest!r} is no digest")
    return blobs


Blobs = Annotated[tuple[Blob, ...], AfterValidator(_safe_blobs)]


class PublicKey(Part):
    """An Ed25519 key that may sign entries."""

    id: Digest
    """Digest of the raw 32 bytes."""
    public: str
    """The raw 32 bytes, base64."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            raw = base64.b64decode(self.public, validate=True)
        except binascii.Error as error:
            raise ValueError(f"key {self.id}: not base64") from error
        if len(raw) != 32 or digest_bytes(raw) != self.id:
            raise ValueError(f"key {self.id}: the id is not the digest of the 32 key bytes")
        return self


class Genesis(Part):
    """The first entry: which kind of place this is, and whose signatures count."""

    mode: Mode
    keys: tuple[PublicKey, ...] = Field(min_length=1)


class Keys(Part):
    """Changes whose signatures count; how a second person's laptop joins."""

    add: tuple[PublicKey, ...] = ()
    remove: tuple[Digest, ...] = ()


class Register(Part):
    """A new version. Its number is the seq of this entry."""

    run: Name
    """One run has at most one version."""
    attempt: Attempt
    digest: Digest
    """Digest of ``model.onnx``, which is one of the blobs."""
    blobs: Blobs
    schema_digest: Digest
    """Digest of the feature schema that the manifest names."""
    evidence_digest: Digest


class Decide(Part):
    """A verdict, computed by the writer from the evidence in its own blobs."""

    run: Name
    request: Name
    requester: Name
    version: Seq | None
    """None where the candidate was not registered: HOLD and REJECT are only recorded."""
    verdict: Verdict
    rule: Name
    reason: Text
    candidate_digest: Digest
    baseline_digest: Digest | None
    decision_digest: Digest
    """Digest of ``decision.json``, which is one of the blobs."""
    evidence_digest: Digest
    policy_digest: Digest
    engine_version: Name
    approvals_required: int = Field(ge=0, strict=True)
    attempt: Attempt
    blobs: Blobs
    """Every document of the decision: enough to replay it."""


class ApprovalUse(Part):
    """One person's approval, used up by the promotion that holds it."""

    uid: Uid
    requester: Name
    approver: Name
    candidate_digest: Digest
    baseline_digest: Digest | None
    evidence_digest: Digest
    policy_digest: Digest
    request: Name
    reason: Text
    time: Moment
    """As the approver's machine had it; signed over."""
    self_approved: Flag
    signature: str | None = None
    """SSH signature of ``approvals.statement``; None reads as 'asserted, not proven'."""


class Promote(Part):
    """A version goes to production on the authority of a decision."""

    version: Seq
    decision: Seq
    """Seq of the decide entry."""
    attempt: Attempt
    """Id of the request: ``abort`` of it makes this promotion impossible, whenever it arrives."""
    approvals: tuple[ApprovalUse, ...] = ()


class Rollback(Part):
    """Back to a version that was in production before."""

    to: Seq
    reason: Text
    actor: Name


class Act(Part):
    """What the monitor did."""

    action: Literal["none", "label", "retrain", "hold", "rollback"]
    evidence_digest: Digest
    reason: Text
    attempt: Attempt | None = None
    blobs: Blobs = ()


class Tombstone(Part):
    """A version that may never be in production again."""

    version: Seq
    reason: Text


class Abort(Part):
    """A fence: nothing of this attempt is legal from here on, however late it arrives."""

    attempt: Attempt
    reason: Text


class Ratify(Part):
    """A policy, or the list of allowed SSH signers, is in force from here on."""

    kind: Literal["policy", "signers"]
    digest: Digest
    """Digest of the one blob: the policy's canonical bytes, or the allowed-signers file."""
    engine_version: Name
    author: Name
    approver: Name
    reason: Text
    self_approved: Flag
    """Author and approver are one person; legal on a laptop's ledger only."""
    shipped_default: Flag = False
    """The policy that came with the program, ratified by the first run."""
    backtest_digest: Digest | None = None
    request: Name | None = None
    """What the approver answered: the id of a cluster's request, or one made up at a terminal."""
    answer: Text | None = None
    """The approver's own reason, where somebody else asked."""
    answered: Moment | None = None
    """When, as the approver's machine had it."""
    signature: str | None = None
    """SSH signature of ``approvals.ratification_statement``; None reads as 'asserted'."""
    attempt: Attempt
    blobs: Blobs = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _signed_whole(self) -> Self:
        if self.signature is not None and None in (self.request, self.answered):
            raise ValueError("a signed ratification names its request and its time")
        return self


class Upgrade(Part):
    """Entries from here on are written in another schema."""

    to_schema: int = Field(ge=2, strict=True)


Payload = (
    Genesis
    | Keys
    | Register
    | Decide
    | Promote
    | Rollback
    | Act
    | Tombstone
    | Abort
    | Ratify
    | Upgrade
)

_MODELS: Mapping[Operation, type[Payload]] = {
    "genesis": Genesis,
    "keys": Keys,
    "register": Register,
    "decide": Decide,
    "promote": Promote,
    "rollback": Rollback,
    "act": Act,
    "tombstone": Tombstone,
    "abort": Abort,
    "ratify": Ratify,
    "upgrade": Upgrade,
}


def operation_of(payload: Payload) -> Operation:
    """Return the operation that a payload belongs to."""
    return next(op for op, model in _MODELS.items() if type(payload) is model)


def parse_payload(op: Operation, value: Any, *, name: str) -> Payload:
    """Read an entry's payload.

    Args:
        op: the entry's operation.
        value: the parsed JSON object.
        name: the entry, for the error message.

    Raises:
        RecordError: an unknown field, or a value that is not what the operation asks for.
    """
    try:
        return _MODELS[op].model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "payload"
        raise RecordError(f"{name}: not a payload of {op!r}: {where}: {first['msg']}") from error
