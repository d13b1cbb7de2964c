"""Where is the page of a model's life, and where the pages of evidence that it leads to?"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from gate.acting import EVIDENCE_FILES
from gate.life import Entry, action_of_entry, life_of, read_entries
from gate.packages import Package
from gate.review import evidence_of
from modelwarrant import __version__
from modelwarrant.cli.knowledge import Place
from modelwarrant.errors import UnknownModelError, WarrantError
from modelwarrant.records import DriftReport
from modelwarrant.registry import read_blobs
from modelwarrant.registry.payloads import Act, Decide
from modelwarrant.reports import life_page, monitor_page, run_page

__all__ = ["write_life"]

_DRIFT = "drift_report.json"


def write_life(place: Place, model: str, *, output: Path | None) -> Path:
    """Write a model's page, and beside it in a folder of its name those of its evidence.

    Args:
        place: the store.
        model: whose.
        output: the page; by default in the store's folder of pages.

    Raises:
        UnknownModelError: no such model, or nothing happened to it yet.
    """
    state = place.state(model)
    page = output or place.work / model / "life" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    folder = page.with_name(f"{page.stem}-evidence")
    entries = read_entries(place.ledger(model).entries())
    kept = place.work / model / "life" / f"evidence-{__version__}"
    kept.mkdir(parents=True, exist_ok=True)
    names = dict(_evidence(place, model, entries, kept))
    if names:
        folder.mkdir(exist_ok=True)
    for name in names.values():
        if not (folder / name).exists():
            shutil.copyfile(kept / name, folder / name)
    pages = {seq: f"{folder.name}/{name}" for seq, name in names.items()}
    life = life_of(place.store, model, entries, mode=state.mode, pages=pages)
    if not life.events:
        raise UnknownModelError(f"nothing happened to {model} yet: `warrant run`")
    page.write_text(life_page(life), encoding="utf-8")
    return page


def _evidence(
    place: Place, model: str, entries: tuple[Entry, ...], folder: Path
) -> Iterator[tuple[int, str]]:
    """Yield entries with the file name of their evidence's page; one that is there is kept."""
    for entry in entries:
        payload = entry.payload
        if not isinstance(payload, Act | Decide):
            continue
        kind = "pass" if isinstance(payload, Act) else "decision"
        name = f"{kind}-{entry.seq}-{payload.evidence_digest[7:19]}.html"
        if not (folder / name).exists():
            text = _page(place, model, payload)
            if text is None:
                continue
            (folder / name).write_text(text, encoding="utf-8")
        yield entry.seq, name


def _page(place: Place, model: str, payload: Act | Decide) -> str | None:
    """Return the page of a pass or a decision; None where its evidence cannot be shown."""
    if isinstance(payload, Decide):
        files = read_blobs(place.store, model, payload.attempt, payload.blobs)
        try:
            return run_page(**vars(evidence_of(Package(files))))
        except WarrantError:  # documents of another version of this program
            return None
    action = action_of_entry(place.store, model, payload)
    if action is None or payload.attempt is None:
        return None
    blobs = [each for each in payload.blobs if each.name in EVIDENCE_FILES]
    files = read_blobs(place.store, model, payload.attempt, blobs)
    if _DRIFT not in files:
        return None
    return monitor_page(action, DriftReport.from_bytes(files[_DRIFT], name=_DRIFT))
