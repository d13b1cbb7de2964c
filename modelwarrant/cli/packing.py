"""How does a ledger travel, and the evidence of a version?

A ledger as a plain tar of its objects and ``export.json``, which names the first and newest entry;
evidence as a folder. Two exports of one ledger are the same bytes.
"""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelwarrant.canonical import canonical_json, parse_json
from modelwarrant.cli.knowledge import Place, parse_name
from modelwarrant.errors import RecordError, StoreError
from modelwarrant.registry import Anchor, Ledger, Verification
from modelwarrant.registry.evidence import evidence_files
from modelwarrant.registry.layout import blob_key, checked_model, log_key
from modelwarrant.registry.moving import copy_ledger
from modelwarrant.registry.verification import blobs_of
from modelwarrant.storage import DirectoryStore

__all__ = ["export_ledger", "import_ledger", "write_evidence"]

_ABOUT = "export.json"


def export_ledger(place: Place, model: str, out: Path) -> dict[str, Any]:
    """Write a model's ledger, verified, with every blob that it names, to a new file.

    Raises:
        StoreError: the file exists.
        TamperedError: names what is not right; no file is left.
    """
    if out.exists():
        raise StoreError(f"{out} exists; name a file that does not")
    place.state(model)
    ledger = place.ledger(model)
    found = ledger.verify()
    about: dict[str, str | int | None] = {
        "schema_version": 1,
        "model": model,
        "genesis": ledger.state().genesis,
        "seq": found.seq,
        "digest": found.digest,
    }
    unfinished = out.with_name(f".{out.name}.part")
    with tarfile.open(unfinished, "w") as packed:
        _pack(packed, _ABOUT, canonical_json(about))
        for key, data in _objects(ledger):
            _pack(packed, key, data)
    unfinished.replace(out)
    return {**about, "file": str(out), "blobs": found.blobs, "bytes": out.stat().st_size}


def _objects(ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """Yield key and bytes of what a ledger stands for: blobs first, each once."""
    seen: set[str] = set()
    entries = ledger.entries()
    for entry in entries:
        for attempt, blob in blobs_of(entry):
            key = blob_key(ledger.model, attempt, blob.digest)
            if key not in seen:
                seen.add(key)
                yield key, ledger.store.get(key) or b""
    for entry in entries:
        yield log_key(ledger.model, entry.seq), entry.to_bytes()


def _pack(packed: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    packed.addfile(member, io.BytesIO(data))


def import_ledger(place: Place, file: Path) -> dict[str, Any]:
    """Bring an exported ledger into this store, verified before and on arrival.

    Raises:
        RecordError: the file is no export.
        TamperedError: what it holds is not right; nothing was written.
        IllegalOperationError: the store holds another ledger of that model.
    """
    with tempfile.TemporaryDirectory(prefix="modelwarrant-") as folder:
        unpacked = DirectoryStore(Path(folder))
        about = _unpack(file, unpacked)
        try:
            model = checked_model(about["model"])
            anchor = Anchor(model=model, seq=about["seq"], digest=about["digest"])
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{file}: its {_ABOUT} does not say whose ledger it is") from error
        pin = place.home.pin(place.store.uri, model)
        genesis = about.get("genesis") if pin is None else pin.genesis
        source = Ledger(unpacked, model, pinned_genesis=genesis)
        arrived = copy_ledger(source, place.store, anchors=(anchor,))
    ledger = Ledger(place.store, model, pinned_genesis=genesis)
    place.remember(ledger)
    return _told(place, ledger, arrived)


def _unpack(file: Path, target: DirectoryStore) -> dict[str, Any]:
    about: dict[str, Any] | None = None
    try:
        with tarfile.open(file, "r:") as packed:
            for member in packed:
                data = packed.extractfile(member)
                if data is None:
                    raise RecordError(f"{file}: {member.name!r} is no plain file")
                if member.name == _ABOUT:
                    about = parse_json(data.read(), name=f"{file}: {_ABOUT}")
                else:
                    target.create(member.name, data.read())
    except tarfile.TarError as error:
        raise RecordError(f"{file}: not a file of warrant store export: {error}") from error
    if not isinstance(about, dict):
        raise RecordError(f"{file}: not a file of warrant store export: no {_ABOUT}")
    return about


def _told(place: Place, ledger: Ledger, arrived: Verification) -> dict[str, Any]:
    state = ledger.state()
    return {
        "model": ledger.model,
        "store": place.store.uri,
        "entries": arrived.seq,
        "digest": arrived.digest,
        "genesis": state.genesis,
        "blobs": arrived.blobs,
        "production": state.production,
        "keys": sorted(state.keys),
        "may_write": place.home.signer().public.id in state.keys,
    }


def write_evidence(place: Place, name: str, folder: Path) -> dict[str, Any]:
    """Write the evidence bundle of ``MODEL@V`` into a new folder.

    Raises:
        RecordError: the folder exists and is not empty.
        UnknownModelError: no such version.
    """
    model, number = parse_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecordError(f"{folder} exists and is not empty; name a new folder")
    state = place.state(model)
    files = evidence_files(place.ledger(model), number)
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return {
        "model": model,
        "version": number,
        "folder": str(folder),
        "files": len(files),
        "genesis": state.genesis,
        "entries": state.seq,
        "head": state.head,
    }
