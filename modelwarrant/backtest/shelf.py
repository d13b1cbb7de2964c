"""Where do results lie that a killed backtest need not compute again?

A folder of files named by the digest of what they were made from. A file appears whole or not at
all, so that several processes can share the folder, and a kill leaves nothing half done.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import modelwarrant
from modelwarrant.canonical import Json, digest_bytes, digest_json
from modelwarrant.policy import ENGINE_VERSION

__all__ = ["Shelf", "code_digest"]


@dataclass(frozen=True)
class Shelf:
    """A folder of results.

    Args:
        folder: made when the first result comes.
        salt: whatever else the results depend on, for example the digest of a user's estimator.
    """

    folder: Path
    salt: str = ""

    def key(self, kind: str, *made_from: Json) -> str:
        """Return the name of a result: the digest of its inputs, and of the program's version."""
        versions: list[Json] = [modelwarrant.__version__, ENGINE_VERSION, self.salt]
        digest = digest_json([kind, *versions, *made_from])
        return f"{kind}-{digest.removeprefix('sha256:')[:32]}"

    def get(self, key: str) -> bytes | None:
        """Return a result, or None where there is none yet."""
        try:
            return (self.folder / key).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Keep a result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{key}.{os.getpid()}.part"
        part.write_bytes(data)
        part.replace(self.folder / key)


def code_digest() -> str:
    """Return the digest of this program's code: results of other code do not count."""
    folder = Path(modelwarrant.__file__).parent
    files = sorted(folder.rglob("*.py")) + sorted(folder.rglob("*.yaml"))
    return digest_bytes(b"".join(path.read_bytes() for path in files))
