"""How does an artifact say that there is nothing yet?

A stage must write every declared output. A bundle that does not exist yet (no production model) is
a folder that holds one file saying so.
"""

from pathlib import Path

from modelwarrant.bundle import Bundle, read_bundle
from modelwarrant.canonical import canonical_json

__all__ = ["read_bundle_if_any", "write_absence"]

_MARK = "none-yet.json"


def write_absence(path: Path, reason: str) -> None:
    """Write the folder that stands for a bundle that does not exist."""
    path.mkdir(parents=True)
    (path / _MARK).write_bytes(canonical_json({"reason": reason}))


def read_bundle_if_any(path: Path) -> Bundle | None:
    """Return the bundle, or None where the artifact says there is none yet.

    Raises:
        BundleError: the folder holds neither.
    """
    return None if (path / _MARK).is_file() else read_bundle(path)
