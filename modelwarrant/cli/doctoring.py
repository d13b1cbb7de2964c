"""What is wrong with this store, and what is to be done?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from modelwarrant.cli.knowledge import Place, models
from modelwarrant.errors import TemporaryError, WarrantError
from modelwarrant.registry import State
from modelwarrant.registry.layout import attempts_prefix
from modelwarrant.storage import DirectoryStore
from modelwarrant.storage import probe as try_store

__all__ = ["Diagnosis", "diagnose"]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at."""

    what: str
    is_well: bool
    detail: str
    todo: str | None = None
    """What to do, where something is to be done."""
    is_temporary: bool = False
    """Whether the store gave no answer: the same look may find all well later."""


def diagnose(place: Place) -> tuple[Diagnosis, ...]:
    """Look at the keys, the store and every ledger in it; nothing but ``probe/`` is written."""
    found = list(_keys(place))
    reached = _attempt("store", lambda: _reached(place))
    found += reached
    if all(each.is_well for each in reached):
        found += _promises(place)
        names = _attempt("models", lambda: _models(place))
        found += names
        if all(each.is_well for each in names):
            for model in models(place):
                found += _attempt(model, lambda model=model: _ledger(place, model))  # type: ignore[misc]
    return tuple(found)


def _attempt(what: str, look: Callable[[], Iterator[Diagnosis]]) -> list[Diagnosis]:
    """Turn an error of ours, which says what to do, into a finding."""
    try:
        return list(look())
    except WarrantError as error:
        is_temporary = isinstance(error, TemporaryError)
        todo = "try again later" if is_temporary else None
        return [Diagnosis(what, False, str(error), todo, is_temporary)]


def _keys(place: Place) -> list[Diagnosis]:
    home, store = place.home.folder, place.store

    def look() -> Iterator[Diagnosis]:
        if isinstance(store, DirectoryStore) and home.is_relative_to(store.root):
            yield Diagnosis(
                "keys",
                False,
                f"{home} lies inside the store: whoever can write the store can sign for you",
                "set WARRANT_HOME to a folder outside, and make new keys there",
            )
            return
        yield Diagnosis("keys", True, f"{place.home.signer().public.id} in {home}")

    return _attempt("keys", look)


def _reached(place: Place) -> Iterator[Diagnosis]:
    next(place.store.list("probe/"), None)  # a page is no listing
    place.store.get("probe/first")
    yield Diagnosis("store", True, f"{place.store.uri} answers")


def _promises(place: Place) -> list[Diagnosis]:
    todo = (
        "this store cannot carry a ledger that is written from here: use another, or other rights"
    )
    return [
        Diagnosis(
            each.check,
            each.is_kept,
            each.detail,
            None if each.is_kept else "try again later" if each.is_temporary else todo,
            each.is_temporary,
        )
        for each in try_store(place.store)
    ]


def _models(place: Place) -> Iterator[Diagnosis]:
    found = models(place)
    yield Diagnosis("models", True, ", ".join(found) or "none yet: `warrant run` begins a ledger")


def _ledger(place: Place, model: str) -> Iterator[Diagnosis]:
    pin = place.home.pin(place.store.uri, model)
    ledger = place.ledger(model)
    try:
        verified = ledger.verify(() if pin is None else (pin.anchor,))
    except WarrantError as error:
        yield Diagnosis(
            model,
            False,
            str(error),
            "write nothing; restore that object from a backup, or bring an export of this ledger "
            "into a new store: warrant store import",
        )
        return
    vouched = f"vouched for up to entry {verified.vouched_seq}"
    yield Diagnosis(
        model,
        True,
        f"{verified.seq} entries and {verified.blobs} blobs verified, {vouched}",
        None
        if verified.vouched_seq
        else "nothing outside the store remembers this ledger: compare its first entry "
        f"with somebody who does ({ledger.state().genesis})",
    )
    yield from _state(place, ledger.state())


def _state(place: Place, state: State) -> Iterator[Diagnosis]:
    model, own = state.model, place.home.signer().public
    if own.id not in state.keys:
        yield Diagnosis(
            f"{model}: your key",
            False,
            f"{own.id} is not in force: you can read this ledger, not write it",
            f"somebody whose key is in force runs: warrant keys add {model} {own.public}",
        )
    if state.policy is None:
        yield Diagnosis(
            f"{model}: policy",
            False,
            "no policy is ratified: every decision is HOLD",
            f"warrant policy ratify {model} --reason R",
        )
    last = max((each.time for each in state.decisions.values()), default="")
    if last > datetime.now(UTC).isoformat():
        yield Diagnosis(
            f"{model}: clock",
            False,
            f"the newest decision is of {last}, which is still to come",
            "set the clock, here or where that decision was made",
        )
    prefix = attempts_prefix(model)
    attempts = {key.removeprefix(prefix).split("/")[0] for key in place.store.list(prefix)}
    orphans = attempts - state.attempts.keys()
    if orphans:
        yield Diagnosis(
            f"{model}: leftovers",
            True,
            f"blobs of {len(orphans)} attempts that no entry names",
            f"if no run is at work: warrant store gc {model}",
        )
