"""Where in the store does each object of a ledger lie?"""

import re

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import RegistryError

__all__ = [
    "attempts_prefix",
    "blob_key",
    "checked_model",
    "first_prev",
    "head_key",
    "log_key",
    "log_prefix",
    "model_prefix",
    "pack_key",
    "seq_of",
    "snapshot_key",
    "snapshot_prefix",
]

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_NUMBERED = re.compile(r"[0-9]{12}\.json", re.ASCII)


def checked_model(model: str) -> str:
    """Return the model's name if it can be part of a key.

    Raises:
        RegistryError: names what is wrong with it.
    """
    if not _MODEL.fullmatch(model):
        raise RegistryError(
            f"{model!r} is no model name: up to 100 letters, digits and '._-', "
            "the first a letter or digit"
        )
    return model


def model_prefix(model: str) -> str:
    """Everything a model's ledger owns lies below this prefix."""
    return f"m/{checked_model(model)}/"


def log_prefix(model: str) -> str:
    """The entries lie below this prefix."""
    return f"{model_prefix(model)}log/"


def log_key(model: str, seq: int) -> str:
    """Key of one entry.

    >>> log_key("electricity", 7)
    'm/electricity/log/000000000007.json'
    """
    return f"{log_prefix(model)}{seq:012d}.json"


def snapshot_prefix(model: str) -> str:
    """The snapshots lie below this prefix."""
    return f"{model_prefix(model)}snap/"


def snapshot_key(model: str, seq: int) -> str:
    """Key of the fold of the first ``seq`` entries."""
    return f"{snapshot_prefix(model)}{seq:012d}.json"


def pack_key(model: str, seq: int) -> str:
    """Key of the pack whose last entry this is."""
    return f"{model_prefix(model)}pack/{seq:012d}.jsonl"


def seq_of(key: str, prefix: str) -> int | None:
    """Return the number in an entry's or snapshot's key, None for a key of another form."""
    name = key.removeprefix(prefix)
    return int(name[:12]) if _NUMBERED.fullmatch(name) else None


def head_key(model: str) -> str:
    """Key of the newest anchor, a hint."""
    return f"{model_prefix(model)}head.json"


def attempts_prefix(model: str) -> str:
    """The blobs lie below this prefix, by attempt."""
    return f"{model_prefix(model)}blob/"


def blob_key(model: str, attempt: str, digest: str) -> str:
    """Key of the bytes with this digest, written by this attempt."""
    return f"{attempts_prefix(model)}{attempt}/{digest.removeprefix('sha256:')}"


def first_prev(model: str) -> str:
    """What the first entry is chained to: no entry of another model or program fits there."""
    return digest_bytes(f"modelwarrant ledger v1\n{model}".encode())
