"""How does a stage hand a registered version's bundle on?"""

from pathlib import Path

from modelwarrant.bundle import read_bundle
from modelwarrant.records import BUNDLE_FILES
from modelwarrant.registry import State, Version, read_blobs
from modelwarrant.stage.presence import write_absence
from modelwarrant.storage import ObjectStore

__all__ = ["write_version"]


def write_version(
    path: Path, store: ObjectStore, state: State, version: Version | None, *, absent: str
) -> None:
    """Write a version's bundle into a folder, hashed and loaded once.

    Args:
        path: the folder, not there yet.
        store: where the blobs lie.
        state: the ledger's verified fold.
        version: which; None writes the folder that says why there is none.
        absent: why.
    """
    if version is None:
        write_absence(path, absent)
        return
    blobs = [blob for blob in version.blobs if blob.name in BUNDLE_FILES]
    files = read_blobs(store, state.model, version.attempt, blobs)
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
    read_bundle(path, digest=version.digest)
