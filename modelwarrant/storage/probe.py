"""Does this store keep the promises that the ledger rests on?

Run at start: a store that answers conditional writes wrongly loses entries silently, and nothing
else would notice in time. Keys lie below ``probe/``, which no ledger uses.
"""

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from modelwarrant.errors import OutcomeUnknownError, StoreError, TemporaryError, WarrantError
from modelwarrant.storage.protocol import ObjectStore

__all__ = ["Finding", "probe", "refuse_unfit"]

RACERS = 16
RACES = 8


@dataclass(frozen=True)
class Finding:
    """What one check of the store found."""

    check: str
    is_kept: bool
    detail: str
    """What was seen; for a broken promise, what it would cost."""
    is_temporary: bool = False
    """Whether the store gave no answer: the same check may pass later."""


def probe(store: ObjectStore) -> tuple[Finding, ...]:
    """Try the store's promises on keys of its own, and clean up where the store lets us.

    Returns:
        One finding a check. A store that cannot be written at all has failing findings.
    """
    place = f"probe/{secrets.token_hex(8)}"
    checks: tuple[tuple[str, Callable[[ObjectStore, str], tuple[bool, str]]], ...] = (
        ("create twice", _create_twice),
        ("read after write", _read_after_write),
        ("race", _race),
        ("condition after a refusal", _condition_after_refusal),
        ("list", _list),
        ("delete and create", _delete_and_create),
        ("versions", _versions),
    )
    findings = []
    for name, check in checks:
        try:
            is_kept, detail = check(store, f"{place}/{name.replace(' ', '-')}")
            findings.append(Finding(name, is_kept, detail))
        except WarrantError as error:
            is_temporary = isinstance(error, TemporaryError)
            findings.append(Finding(name, False, str(error), is_temporary))
    with suppress(WarrantError):
        for key in store.list(f"{place}/"):
            store.delete(key)
    return tuple(findings)


def refuse_unfit(store: ObjectStore, findings: Iterable[Finding]) -> None:
    """Refuse a store with a broken promise.

    Raises:
        StoreError: names the store and every check that failed.
    """
    broken = [f"{finding.check}: {finding.detail}" for finding in findings if not finding.is_kept]
    if broken:
        raise StoreError(f"the store {store.uri} cannot carry a ledger: " + "; ".join(broken))


def _create_twice(store: ObjectStore, key: str) -> tuple[bool, str]:
    first, second = store.create(key, b"first"), store.create(key, b"second")
    found = store.get(key)
    if first and not second and found == b"first":
        return True, "the second create was refused and changed nothing"
    return False, f"creates answered {first} and {second}, and the key holds {found!r}"


def _read_after_write(store: ObjectStore, key: str) -> tuple[bool, str]:
    before = store.get(key)
    store.put(key, b"one")
    one = store.get(key)
    store.put(key, b"two")
    two = store.get(key)
    if (before, one, two) == (None, b"one", b"two"):
        return True, "each read saw the last write"
    return False, f"reads saw {before!r}, {one!r}, {two!r} instead of None, b'one', b'two'"


def _race(store: ObjectStore, key: str) -> tuple[bool, str]:
    keys = [f"{key}/{race}" for race in range(RACES)]
    tasks = [(name, str(racer).encode()) for name in keys for racer in range(RACERS)]
    with ThreadPoolExecutor(RACERS) as racers:
        answers = list(racers.map(lambda task: _answer(store, *task), tasks))
    for name in keys:
        raced = [(data, won) for (of, data), won in zip(tasks, answers, strict=True) if of == name]
        winners = [data for data, won in raced if won]
        possible = winners or [data for data, won in raced if won is None]
        if len(winners) > 1 or store.get(name) not in possible:
            return False, f"{len(winners)} of {RACERS} writers won {name}; it must be one"
    return True, f"one winner on each of {RACES} keys with {RACERS} writers"


def _answer(store: ObjectStore, key: str, data: bytes) -> bool | None:
    """What ``create`` answered; None for an answer that was lost, which no store can promise."""
    try:
        return store.create(key, data)
    except OutcomeUnknownError:
        return None


def _condition_after_refusal(store: ObjectStore, key: str) -> tuple[bool, str]:
    store.create(key, b"first")
    answers = [store.create(key, data) for data in (b"second", b"", b"third")]
    found, other = store.get(key), store.create(f"{key}-other", b"other")
    if not any(answers) and found == b"first" and other:
        return True, "still refused, and another key still works"
    return False, f"repeated creates answered {answers}; the key holds {found!r}"


def _list(store: ObjectStore, key: str) -> tuple[bool, str]:
    expected = [f"{key}/a", f"{key}/b"]
    before = list(store.list(f"{key}/"))
    for name in reversed(expected):
        store.create(name, b"")
    found = list(store.list(f"{key}/"))
    detail = (
        f"listed {len(found)} of {len(expected)} keys, and {len(before)} before they were there"
    )
    return (before, found) == ([], expected), detail


def _delete_and_create(store: ObjectStore, key: str) -> tuple[bool, str]:
    store.create(key, b"old")
    try:
        store.delete(key)
    except StoreError:
        return True, "deleting is not allowed here, as for any writer of a log"
    gone, is_created, found = store.get(key), store.create(key, b"new"), store.get(key)
    if gone is None and is_created and found == b"new":
        return True, "a deleted key is absent and can be created again"
    return False, f"after deleting, the key held {gone!r}; creating answered {is_created}"


def _versions(store: ObjectStore, key: str) -> tuple[bool, str]:
    store.create(key, b"once")
    if isinstance(store, _Versioning) and store.is_versioned:
        return False, (
            "the bucket keeps versions or has an object lock: what gc deletes would stay, and a "
            "version that is brought back by hand would not be the one that was read; suspend "
            "versioning, or use a bucket without it"
        )
    return True, "an object has one version"


@runtime_checkable
class _Versioning(Protocol):
    """A store that can keep what was deleted."""

    is_versioned: bool
