"""Which version is served now?

The follower looks at one model's ledger again and again, verifies what is new, loads the version in
production and swaps it in. Whatever goes wrong with the store, the last version that was verified
goes on answering; a version that cannot be verified never begins to.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import (
    BundleError,
    RegistryError,
    TamperedError,
    UnknownModelError,
    WarrantError,
)
from modelwarrant.registry import Anchor, Ledger, State
from modelwarrant.registry.layout import log_key
from modelwarrant.storage import ObjectStore
from serving.loading import fetch_blobs, load_served
from serving.memory import give_back
from serving.mirror import Head, Mirror
from serving.served import Served
from serving.shadow import Shadow
from serving.slices import step_behind
from serving.trial import Trial
from serving.warrants import Warrant, candidate_of, digest_at, warrant_of

__all__ = ["Follower", "Status"]

_MARK_EVERY = timedelta(seconds=60)
"""How often an unchanged head is written to the cache again: the largest error of ``stale_s`` after
a restart without the store."""

_LATE_S = 30.0
"""Age of the last look from which on a store that hangs counts as one that fails."""


@dataclass(frozen=True)
class Status:
    """What the last look at the ledger found."""

    fault: str | None
    """What is wrong with the store or the ledger; None where the ledger was followed."""
    faults: int
    """Looks that failed, since the process began."""
    stale_s: float | None
    """Seconds since what is served was last known to be in production; 0 while the ledger is
    followed, None before anything was."""
    seq: int | None
    """Newest entry that was verified."""


class Follower:
    """Follows one model's ledger; ``served`` changes in one assignment.

    Args:
        store: where the ledger is.
        model: whose.
        open_ledger: returns a ledger of the model over a store, with the genesis that this place
            trusts; nothing is signed with it.
        anchor: an entry that the ledger must hold, as remembered elsewhere; None knows of none.
        mirror: where the last verified version is kept over a restart; None keeps none.
        trial: lets another process parse each model first; None trusts them.
        shadow: compares another version with the one served; None compares none.
        watch: how long after a promotion the version before is that other one.
        now: the clock, timezone-aware UTC.
        log: for faults and swaps.
    """

    def __init__(
        self,
        store: ObjectStore,
        model: str,
        *,
        open_ledger: Callable[[ObjectStore], Ledger],
        anchor: Anchor | None,
        mirror: Mirror | None,
        trial: Trial | None,
        shadow: Shadow | None = None,
        watch: timedelta = timedelta(hours=1),
        now: Callable[[], datetime],
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._model = model
        self._open_ledger = open_ledger
        self._ledger = open_ledger(store)
        self._anchor = anchor
        self._mirror = mirror
        self._trial = trial
        self._shadow = shadow
        self._watch = watch
        self._now = now
        self._log = log
        self.served: Served | None = None
        """The version that answers; a request takes it once."""
        self._previous: Served | None = None
        self._candidate: Served | None = None
        self._watch_until: datetime | None = None
        self._compared: tuple[int, bool] | None = None
        self._refused: dict[int, str] = {}
        """Versions that can never be loaded, and why: trying again would change nothing."""
        self._head: Head | None = None
        self._state: State | None = None
        self._followed: int | None = None
        self._current_at: datetime | None = None
        self._marked_at: datetime | None = None
        self._is_mirror_tried = False
        self._fault: str | None = "the ledger was not read yet"
        self._faults = 0
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def status(self) -> Status:
        """Return what the last look found."""
        fault, current_at = self._fault, self._current_at
        seq = None if self._head is None else self._head.seq
        if current_at is None:
            return Status(fault, self._faults, None, seq)
        age_s = max(0.0, (self._now() - current_at).total_seconds())
        if fault is None and age_s > _LATE_S:
            fault = f"the ledger was last read {age_s:.0f} s ago; the store does not answer"
        return Status(fault, self._faults, 0.0 if fault is None else age_s, seq)

    def start(self, *, poll_s: float) -> None:
        """Look at once, then again every so many seconds, from a thread of its own."""

        def follow() -> None:
            began = time.monotonic()
            self.look()
            step_behind()  # the first look is what everybody waits for
            while not self._stop.is_set():
                spent_s = time.monotonic() - began  # a look that loads a model delays no other one
                self._wake.wait(max(poll_s - spent_s, poll_s / 10))
                self._wake.clear()
                began = time.monotonic()
                self.look()

        self._thread = threading.Thread(target=follow, name="follower", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_s: float) -> None:
        """End the thread; what is served goes on answering."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def look_now(self) -> None:
        """Have the thread look without waiting for its next turn."""
        self._wake.set()

    def look(self) -> None:
        """Look at the ledger once; never raises, ``status`` says what was wrong."""
        served, candidate = self.served, self._candidate
        self._look()
        if self.served is not served or self._candidate is not candidate:
            give_back()

    def _look(self) -> None:
        try:
            self._follow()
        except WarrantError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must look again
            trace = "".join(traceback.format_exception(error))
            self._log.error("follower_broke", extra={"fields": {"trace": trace}})
            self._failed(f"a fault of the service: {type(error).__name__}")
        else:
            if self._fault is not None and self._head is not None:
                self._log.info("ledger_followed", extra={"fields": {"seq": self._head.seq}})
            self._fault = None

    def _failed(self, fault: str) -> None:
        self._faults += 1
        if fault != self._fault:
            self._log.warning("ledger_not_followed", extra={"fields": {"fault": fault}})
        self._fault = fault
        if self.served is None and not self._is_mirror_tried:
            self._is_mirror_tried = True
            if self._mirror is not None:
                self._serve_from_mirror(self._mirror)

    def _follow(self) -> None:
        """Verify what is new and serve what the ledger says.

        Raises:
            WarrantError: the ledger or the version in production cannot be verified or read.
        """
        state = self._verified(self._ledger, self._store)
        head = Head(state.seq, state.head, self._now())
        self._check_forward(state)
        self._head, self._state = head, state
        if self._followed != head.seq:
            self._drop_tombstoned(state, head)
            self._serve(warrant_of(state))
            self._followed = head.seq
            self._cache(lambda mirror: mirror.keep(state, self._store), head)
        elif self._marked_at is None or head.verified_at - self._marked_at >= _MARK_EVERY:
            self._cache(lambda mirror: None, head)
        self._current_at = head.verified_at
        self._compare(state)

    def _verified(self, ledger: Ledger, store: ObjectStore) -> State:
        """Return the ledger's fold: chain, signatures and legality of every entry are checked."""
        state = ledger.state()
        if state.genesis is None:
            raise UnknownModelError(f"the store {store.uri} has no ledger of {self._model!r}")
        return state

    def _check_forward(self, state: State) -> None:
        """Refuse a ledger that does not continue the one that was served, here or before."""
        known: list[Head | Anchor | None] = [self._head, self._anchor]
        if self._head is None and self._mirror is not None:
            known.append(self._mirror.head())
        for one in known:
            if one is not None and state.seq < one.seq:
                raise RegistryError(
                    f"the ledger of {self._model!r} ends at entry {state.seq}, and entry {one.seq} "
                    "was seen before; an older ledger is not followed"
                )
            if one is not None and digest_at(state, one.seq) != one.digest:
                raise TamperedError(
                    f"entry {one.seq} of {self._model!r} is not the one that was seen before"
                )
        stored = self._store.get(log_key(self._model, state.seq))
        if stored is None or digest_bytes(stored) != state.head:
            raise TamperedError(f"entry {state.seq} of {self._model!r} is gone or was altered")

    def _serve(self, warrant: Warrant | None) -> None:
        """Swap to the version in production."""
        if warrant is None:
            self._swap(None)
            return
        for held in (self.served, self._previous, self._candidate):
            if held is not None and _is_of(held, warrant):
                self._swap(held if held.seq == warrant.seq else held.moved(warrant.seq))
                return
        self._swap(self._load(self._store, warrant))

    def _load(self, store: ObjectStore, warrant: Warrant) -> Served:
        """Fetch, verify and load a version.

        Raises:
            WarrantError: as ``fetch_blobs`` and ``load_served``; says so again without trying again
                where the version can never be loaded.
        """
        refused = self._refused.get(warrant.version.number)
        if refused is not None:
            raise BundleError(refused)
        blobs = fetch_blobs(store, self._model, warrant)
        try:
            return load_served(self._model, warrant, blobs, trial=self._trial)
        except BundleError as error:
            self._refused[warrant.version.number] = str(error)
            raise

    def _swap(self, served: Served | None) -> None:
        """Serve another version from the next request on; the one before stays loaded."""
        before, self.served = self.served, served
        if before is not None and (served is None or served.version != before.version):
            self._previous = before
            self._watch_until = self._now() + self._watch
        if (before and before.seq) != (served and served.seq):
            fields = {"model": self._model} if served is None else served.identity
            self._log.info("model_swapped", extra={"fields": fields})

    def _compare(self, state: State) -> None:
        """Choose what stands beside production; a fault there changes nothing else."""
        if self._shadow is None:
            return
        is_watched = self._watch_until is not None and self._now() < self._watch_until
        if self._compared == (state.seq, is_watched):
            return
        self._compared = (state.seq, is_watched)
        if is_watched and self._previous is not None:
            self._shadow.compare(self.served, self._previous, "previous")
            return
        waiting = candidate_of(state)
        if waiting is None:
            self._candidate = None
        elif self._candidate is None or not _is_of(self._candidate, waiting):
            try:
                self._candidate = self._load(self._store, waiting)
            except WarrantError as error:
                self._candidate = None
                self._log.warning("shadow_refused", extra={"fields": {"error": str(error)}})
        self._shadow.compare(self.served, self._candidate, "candidate")

    def _drop_tombstoned(self, state: State, head: Head) -> None:
        """Stop a version that a person has ruled out, even where its successor cannot be loaded."""
        if self.served is not None and state.version(self.served.version).is_tombstoned:
            self._swap(None)
            self._cache(lambda mirror: mirror.keep_entries(state, self._store), head)

    def _cache(self, keep: Callable[[Mirror], None], head: Head) -> None:
        """Keep something on the local disk; a failure there changes nothing else."""
        if self._mirror is None:
            return
        self._marked_at = head.verified_at
        try:
            keep(self._mirror)
            self._mirror.mark(head)
        except WarrantError as error:
            self._log.warning("cache_failed", extra={"fields": {"error": str(error)}})

    def _serve_from_mirror(self, mirror: Mirror) -> None:
        """Serve the version that was verified last, from the local disk, verified once more."""
        try:
            head = mirror.head()
            if head is None:
                return
            state = self._verified(self._open_ledger(mirror.store), mirror.store)
            if digest_at(state, head.seq) != head.digest:
                raise TamperedError(f"the cache {mirror.store.uri} was altered")
            warrant = warrant_of(state)
            if warrant is None or self._is_ruled_out(warrant):
                return
            served = self._load(mirror.store, warrant)
        except WarrantError as error:
            self._log.warning("cache_refused", extra={"fields": {"error": str(error)}})
            return
        self._head = self._head or head
        self._current_at = head.verified_at
        self._swap(served)

    def _is_ruled_out(self, warrant: Warrant) -> bool:
        """Whether the store's own ledger, where it could be read, has tombstoned the version."""
        version = None if self._state is None else self._state.versions.get(warrant.version.number)
        return version is not None and version.is_tombstoned


def _is_of(held: Served, warrant: Warrant) -> bool:
    return (held.version, held.bundle.digest, held.decision_id) == (
        warrant.version.number,
        warrant.version.digest,
        warrant.decided.decision_digest,
    )
