"""Which files does a source name, and which bytes do they hold?

A source is a path, a glob, ``file://``, ``http(s)://`` or ``s3://``. What is remote is downloaded
first, so that the bytes that are hashed are the bytes that are read.
"""

import glob
import hashlib
import re
import stat
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelwarrant.errors import ChangedDataError, SourceError
from modelwarrant.sources.settings import SourceSettings

__all__ = ["EXAMPLE", "SourceData", "located", "scheme_of"]

EXAMPLE = "sklearn"
"""Scheme of the data sets that come with scikit-learn."""

_SCHEMES = ("file", "http", "https", "s3", EXAMPLE)
_FORMS = "a path, a glob, s3://bucket/key, https://… or sklearn://name"


@dataclass(frozen=True)
class SourceData:
    """One file on this machine, as it was when it was hashed."""

    uri: str
    """Where the bytes come from, as records and messages name it."""
    path: Path
    digest: str
    state: tuple[int, int, int]
    """Inode, size and time of change (ns)."""

    def check_unchanged(self) -> None:
        """Refuse a file that was written to while it was read.

        Raises:
            ChangedDataError: inode, size or time of change differ.
        """
        if _state(self.path, self.uri) != self.state:
            raise ChangedDataError(
                f"{self.uri}: the file changed while it was read; run again once it is complete"
            )


def scheme_of(source: str) -> str | None:
    """Return the scheme of a source, None for a path or glob.

    >>> scheme_of("s3://bucket/key"), scheme_of("data/day.csv")
    ('s3', None)

    Raises:
        SourceError: a scheme that is not read.
    """
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    if match is None:
        return None
    scheme = match[1].lower()
    if scheme not in _SCHEMES:
        raise SourceError(f"{source}: {scheme}:// is not read; a source is {_FORMS}")
    return scheme


@contextmanager
def located(source: str, *, base: Path, settings: SourceSettings) -> Iterator[list[SourceData]]:
    """Give the files of a source, sorted by name, and drop downloads afterwards.

    Args:
        source: anything but ``sklearn://``.
        base: folder that relative paths start from.
        settings: limits of a download.

    Raises:
        SourceError: nothing there, or it cannot be read.
        TemporaryError: a server did not answer.
    """
    scheme = scheme_of(source)
    if scheme in (None, "file"):
        yield [_hashed(path, _shown(path, base)) for path in _paths(source, base)]
        return
    from modelwarrant.sources import remote  # urllib and TLS cost 20 ms that files never need

    with tempfile.TemporaryDirectory(prefix="modelwarrant-") as folder:
        if scheme == "s3":
            objects = remote.download_s3(source, Path(folder), settings)
            if not objects:
                raise SourceError(f"{source}: no object matches")
            yield [_hashed(path, uri) for uri, path in objects]
        else:
            target = Path(folder) / "download"
            remote.download_http(source, target, settings)
            yield [_hashed(target, remote.shown_url(source))]


def _paths(source: str, base: Path) -> list[Path]:
    """Return the local files that a path, glob or file:// address names."""
    if not source.strip() or "\0" in source:
        raise SourceError(f"the source {source!r} is empty; name {_FORMS}")
    pattern = _file_path(source) if scheme_of(source) else source
    path = base / pattern
    if path.is_dir():
        raise SourceError(f"{source}: is a folder; name its files, for example {source}/*.parquet")
    if path.exists():
        return [path]
    if not glob.has_magic(pattern):
        raise SourceError(f"{source}: no such file (looked in {base.absolute()})")
    matches = [
        base / match
        for match in glob.glob(pattern, root_dir=base, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    ]
    files = sorted(match for match in matches if not match.is_dir())
    if not files:
        raise SourceError(f"{source}: no file matches (looked in {base.absolute()})")
    return files


def _file_path(source: str) -> str:
    parts = urllib.parse.urlsplit(source)
    if parts.netloc not in ("", "localhost"):
        raise SourceError(f"{source}: write file:///absolute/path")
    return urllib.parse.unquote(parts.path)


def _shown(path: Path, base: Path) -> str:
    """Return a path as records name it: relative to the project, the same on every machine."""
    return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()


def _hashed(path: Path, uri: str) -> SourceData:
    state = _state(path, uri)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{uri}: cannot be read: {error.strerror}") from error
    if state[1] == 0:
        raise SourceError(f"{uri}: the file is empty")
    return SourceData(uri, path, f"sha256:{digest}", state)


def _state(path: Path, uri: str) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"{uri}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{uri}: is not a regular file")
    return status.st_ino, status.st_size, status.st_mtime_ns
