"""Do requests and what runs handed in still match what the ledger recorded of them?

The ledger vouches for itself (``Ledger.verify``). What lies beside it is checked here: every part
of a request carries its own digest, a package's files are those that were frozen, and an outcome
names the entry that made it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gate import requests
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import TamperedError
from modelwarrant.records import PromotionRequest
from modelwarrant.registry import Anchor, Ledger, State, Verification
from modelwarrant.registry.layout import log_key

__all__ = ["Checked", "check_everything"]


@dataclass(frozen=True)
class Checked:
    """A model of which every object was checked."""

    ledger: Verification
    requests: int
    files: int
    """Files of packages that were hashed; one that is gone was copied when it was decided on."""


def check_everything(ledger: Ledger, *, anchors: Iterable[Anchor] = ()) -> Checked:
    """Verify a model's ledger, then its requests and packages.

    Args:
        ledger: of the model.
        anchors: entries that somebody saw and remembered outside the store.

    Raises:
        TamperedError: names the first object that is not right.
    """
    verification = ledger.verify(anchors)
    state = ledger.state()
    found = requests.list_requests(ledger.store, model=ledger.model)
    for request in found:
        _demand_recorded(request, state)
    return Checked(verification, len(found), sum(_hashed(ledger, request) for request in found))


def _demand_recorded(request: PromotionRequest, state: State) -> None:
    """What the ledger decided is what was asked, and the outcome's entry is in the log."""
    key = requests.key_of(request.id)
    decided = state.decision_of(request.id)
    if decided is not None:
        for name in ("run", "requester", "candidate_digest", "baseline_digest", "policy_digest"):
            asked, recorded = getattr(request, name), getattr(decided, name)
            if asked != recorded:
                raise TamperedError(
                    f"{key} was altered: {name} is {asked}, entry {decided.seq} recorded {recorded}"
                )
    if request.ledger_seq is None:
        return
    digests = {landed.seq: landed.digest for landed in state.txns.values()}
    if digests.get(request.ledger_seq) != request.ledger_digest:
        raise TamperedError(
            f"{key} was altered: its outcome is not of {log_key(state.model, request.ledger_seq)}"
        )


def _hashed(ledger: Ledger, request: PromotionRequest) -> int:
    """Hash what is left of a package; return how many files that was."""
    count = 0
    for blob in request.files:
        key = f"{request.package}{blob.name}"
        data = ledger.store.get(key)
        if data is None:
            continue
        if digest_bytes(data) != blob.digest:
            raise TamperedError(
                f"{key} was altered: its digest is {digest_bytes(data)}, "
                f"{requests.key_of(request.id)} names {blob.digest}"
            )
        count += 1
    return count
