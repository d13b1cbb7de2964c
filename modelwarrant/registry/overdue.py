"""What is overdue about a model: its monitoring, its review?

Silence is evidence: what is overdue bars a promotion without a person, and a stretch in which
nobody looked stays visible after it ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from modelwarrant.records import LedgerEntry
from modelwarrant.registry.acts import acts, entry_at
from modelwarrant.registry.state import State
from modelwarrant.storage import ObjectStore

__all__ = ["Duties", "duties_of", "unwatched"]


@dataclass(frozen=True)
class Duties:
    """What a model's owner promised, and what of it is late."""

    monitored: datetime | None
    """Time of the monitor's newest entry."""
    monitoring_due: datetime | None
    """None where nothing is in production or no period was promised."""
    overdue: tuple[str, ...]
    """Each as a sentence."""


def duties_of(
    store: ObjectStore,
    state: State,
    *,
    review_by: date | None,
    monitor_every: timedelta | None,
    now: datetime,
) -> Duties:
    """Return what is due and what is overdue.

    The monitor is due a period after it looked last, or after production moved if that was later.

    Args:
        store: where the ledger lies.
        state: its verified fold.
        review_by: the day by which the model must have been reviewed.
        monitor_every: longest time between two passes of the monitor.
        now: when.
    """
    newest = next(acts(store, state), None)
    monitored = None if newest is None else newest.time
    due, overdue = None, list[str]()
    if monitor_every is not None and state.production is not None:
        moved = datetime.fromisoformat(entry_at(store, state, state.moved).time)
        due = max(moved, monitored or moved) + monitor_every
        if due < now:
            overdue.append(f"monitoring was due by {due.astimezone(UTC):%Y-%m-%d %H:%M}")
    if review_by is not None and review_by < now.date():
        overdue.append(f"the review was due by {review_by.isoformat()}")
    return Duties(monitored, due, tuple(overdue))


def unwatched(
    entries: Sequence[LedgerEntry], *, monitor_every: timedelta, now: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return the stretches in which production went without the monitor longer than promised.

    Args:
        entries: the ledger's, in order.
        monitor_every: longest time between two passes.
        now: where a stretch that has not ended is cut.
    """
    found, since = [], None
    for entry in entries:
        if entry.op not in ("act", "promote", "rollback"):
            continue
        time = datetime.fromisoformat(entry.time)
        if entry.op == "act" and since is not None and time - since > monitor_every:
            found.append((since, time))
        since = time if entry.op == "act" or since is None else since
    if since is not None and now - since > monitor_every:
        found.append((since, now))
    return tuple(found)
