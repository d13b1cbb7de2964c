"""What happened to a model, as its ledger and the evidence in it tell?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gate.acting import ACTION_FILE
from modelwarrant.errors import RecordError
from modelwarrant.records import LedgerEntry, MonitorAct, MonitoringAction
from modelwarrant.registry import read_blob
from modelwarrant.registry.acts import ACT_STEP
from modelwarrant.registry.payloads import (
    Act,
    ApprovalUse,
    Decide,
    Mode,
    Payload,
    Promote,
    Ratify,
    Rollback,
    Tombstone,
    parse_payload,
)
from modelwarrant.reports import Event, Life, Look, Reign
from modelwarrant.reports.life_view import Lane
from modelwarrant.reports.monitor_view import act_mark
from modelwarrant.reports.parts import Mark, verdict_mark
from modelwarrant.storage import ObjectStore

__all__ = ["LONGEST", "Entry", "action_of_entry", "life_of", "read_entries"]

LONGEST: Final = 500
"""Passes of the monitor that a page shows, the newest."""

_ACTED: Final[Mapping[MonitorAct, str]] = {
    "none": "The monitor found nothing to do",
    "label": "The monitor asks for labels",
    "retrain": "The monitor asks for a retraining",
    "hold": "The monitor holds everything",
    "rollback": "The monitor takes the promotion back",
}


@dataclass(frozen=True)
class Entry:
    """An entry of a ledger, its payload read."""

    seq: int
    time: datetime
    txn: str
    actor: str
    payload: Payload


def read_entries(entries: Sequence[LedgerEntry]) -> tuple[Entry, ...]:
    """Return verified entries with typed payloads."""
    return tuple(
        Entry(
            each.seq,
            datetime.fromisoformat(each.time),
            each.txn,
            each.actor,
            parse_payload(each.op, each.payload, name=f"entry {each.seq}"),
        )
        for each in entries
    )


def action_of_entry(store: ObjectStore, model: str, act: Act) -> MonitoringAction | None:
    """Return the evidence of a monitor's entry.

    None where the entry keeps none, or where another version of this program wrote it.
    """
    blob = next((each for each in act.blobs if each.name == ACTION_FILE), None)
    if blob is None or act.attempt is None:
        return None
    try:
        return MonitoringAction.from_bytes(
            read_blob(store, model, act.attempt, blob), name=ACTION_FILE
        )
    except RecordError:
        return None


def life_of(
    store: ObjectStore,
    model: str,
    entries: Sequence[Entry],
    *,
    mode: Mode | None,
    pages: Mapping[int, str],
    also: tuple[MonitoringAction, datetime] | None = None,
) -> Life:
    """Return a model's life.

    Args:
        store: where the evidence lies.
        model: whose.
        entries: of its ledger, in order, at least one that is drawn.
        mode: of the ledger: whether names are asserted or vouched for.
        pages: addresses of pages of evidence, by the seq of the entry that names it.
        also: an action that may not be in the ledger yet, and when it was decided on.
    """
    passes = [each.seq for each in entries if isinstance(each.payload, Act)]
    skipped = set(passes[: max(0, len(passes) - LONGEST)])
    events, looks, reigns = list[Event](), list[Look](), list[Reign]()
    acted = {each.txn: each.seq for each in entries}
    for entry in entries:
        if entry.seq in skipped:
            continue
        page = pages.get(entry.seq, "")
        made = list(_events(entry, mode, page, pages, acted))
        events += made
        if isinstance(entry.payload, Act):
            action = action_of_entry(store, model, entry.payload)
            looks += [] if action is None else [Look(made[0], action)]
        if isinstance(entry.payload, Promote | Rollback):
            reigns[-1:] = [replace(each, until=entry.time) for each in reigns[-1:]]
            reigns.append(_reign(entry.payload, made[-1]))
    known = {event.digest for event in events if event.lane == "monitor"}
    if also is not None and also[0].digest not in known:
        action, time = also
        event = _acted(entries[-1].seq + 1, time, action.action, action.reason, action.digest, "")
        events.append(event)
        looks.append(Look(event, action))
    return Life(model, tuple(events), tuple(reigns), tuple(looks), earlier=len(skipped))


def _reign(payload: Promote | Rollback, event: Event) -> Reign:
    if isinstance(payload, Rollback):
        return Reign(payload.to, event.time, None, "by a rollback", event)
    names = ", ".join(each.approver for each in payload.approvals)
    how = f"approved by {names}" if names else "promoted by the policy alone"
    return Reign(payload.version, event.time, None, how, event)


def _events(
    entry: Entry, mode: Mode | None, page: str, pages: Mapping[int, str], acted: Mapping[str, int]
) -> Iterator[Event]:
    payload = entry.payload
    if isinstance(payload, Act):
        yield _acted(
            entry.seq, entry.time, payload.action, payload.reason, payload.evidence_digest, page
        )
    elif isinstance(payload, Decide):
        mark, title = verdict_mark(payload.verdict), f"Decision by the rule {payload.rule}"
        digest = payload.evidence_digest
        yield Event(entry.seq, entry.time, "decision", mark, title, payload.reason, digest, page)
    elif isinstance(payload, Promote):
        decided = pages.get(payload.decision, "")
        for part, used in enumerate(payload.approvals, 1):
            yield _approved(entry.seq, part, used, mode, decided)
        mark = Mark("promoted", "good")
        title = f"Version {payload.version} to production"
        detail = f"on the authority of entry {payload.decision}, asked for by {entry.actor}"
        yield Event(entry.seq, entry.time, "production", mark, title, detail, None, decided)
    elif isinstance(payload, Rollback):
        request, _, step = entry.txn.rpartition("/")
        act = acted.get(f"{request}{ACT_STEP}") if step == "rollback" else None
        mark, title = Mark("rolled back", "bad"), f"Back to version {payload.to}"
        detail = f"by {payload.actor}: {payload.reason}" if act is None else payload.reason
        lane: Lane = "person" if act is None else "production"
        seen = "" if act is None else pages.get(act, "")
        yield Event(entry.seq, entry.time, lane, mark, title, detail, None, seen)
    elif isinstance(payload, Tombstone):
        mark, title = Mark("barred", "bad"), f"Version {payload.version} barred for ever"
        yield Event(entry.seq, entry.time, "person", mark, title, payload.reason, None, page)
    elif isinstance(payload, Ratify):
        mark, title = Mark("ratified", "plain"), f"A {payload.kind} in force"
        detail = f"ratified by {payload.approver}: {payload.reason}"
        yield Event(entry.seq, entry.time, "person", mark, title, detail, payload.digest, page)


def _acted(seq: int, time: datetime, act: MonitorAct, reason: str, digest: str, page: str) -> Event:
    mark, title = act_mark(act), _ACTED[act]
    return Event(seq, time, "monitor", mark, title, reason, digest, page, is_quiet=act == "none")


def _approved(seq: int, part: int, used: ApprovalUse, mode: Mode | None, page: str) -> Event:
    vouched = "named by the API server" if mode == "cluster" else "asserted, not proven"
    proof = "signed" if used.signature else vouched
    who = "the requester" if used.self_approved else "a second person"
    title = f"Approved by {used.approver}, {who} ({proof})"
    time = datetime.fromisoformat(used.time)
    mark = Mark("approved", "good")
    digest = used.evidence_digest
    return Event(seq, time, "person", mark, title, used.reason, digest, page, part=part)
