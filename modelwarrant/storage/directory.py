"""How does a folder keep the store's promises, through kill -9 and a power cut?

``create`` writes a temporary file, syncs it, and gives it its name with ``link``, which fails where
the name exists (``rename`` would overwrite the winner); then the folder is synced. Temporary files
lie in ``.tmp``, locked by their writer: one whose lock is free belongs to a dead process, and the
next writer removes it.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from modelwarrant.errors import (
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    WarrantError,
)
from modelwarrant.storage.protocol import checked_key, checked_prefix

__all__ = ["DirectoryStore"]

T = TypeVar("T")

_TEMPORARY = ".tmp"
"""No key begins with a dot, so this folder is outside the store's name space."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LAYOUT = frozenset({errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EXDEV, errno.EMLINK})

_FULL_RETRY_S = 60.0
"""Nobody empties a disk in less."""


class DirectoryStore:
    """A store in a folder of a local file system; made at the first write.

    Args:
        root: the folder; it need not exist yet.
        file_mode: permissions of new objects, before the umask.
        folder_mode: permissions of new folders, before the umask.

    Raises:
        StoreError: the path exists and is no folder.
    """

    def __init__(self, root: Path, *, file_mode: int = 0o644, folder_mode: int = 0o755) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow symlinks
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(f"the store {self.root} is a file; name a folder")
        self._file_mode, self._folder_mode = file_mode, folder_mode
        self._durable: set[Path] = set()
        self._is_swept = False

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self.root)

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none."""
        path = self.root / checked_key(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise self._failure(error, f"{key} cannot be read") from error

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none; see ``ObjectStore.create``."""
        path = self.root / checked_key(key)
        try:
            is_created = self._in_folder(
                path.parent, lambda: not path.exists() and self._link(path, data)
            )
        except OSError as error:
            raise self._failure(error, f"{key} was not written") from error
        try:
            _sync_folder(path.parent)
        except OSError as error:
            raise OutcomeUnknownError(
                f"the store {self.root} could not sync the folder of {key}: {error.strerror}"
            ) from error
        return is_created

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite the object; atomic and durable."""
        path = self.root / checked_key(key)
        try:
            self._in_folder(path.parent, lambda: self._replace(path, data))
            _sync_folder(path.parent)
        except OSError as error:
            raise self._failure(error, f"{key} was not written") from error

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order."""
        folder = self.root / checked_prefix(prefix).rpartition("/")[0]
        try:
            found = [path.relative_to(self.root).as_posix() for path in _files_below(folder)]
        except OSError as error:
            raise self._failure(error, f"{prefix} cannot be listed") from error
        return iter(sorted(key for key in found if key.startswith(prefix)))

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""
        path = self.root / checked_key(key)
        try:
            path.unlink()
            _sync_folder(path.parent)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise self._failure(error, f"{key} was not deleted") from error

    def _in_folder(self, folder: Path, write: Callable[[], T]) -> T:
        """Write into a folder, made if need be; made again where somebody removed it meanwhile."""
        try:
            self._make_folder(folder)
            return write()
        except FileNotFoundError:
            self._durable.clear()
            self._is_swept = False
            self._make_folder(folder)
            return write()

    def _replace(self, path: Path, data: bytes) -> None:
        with self._temporary(data) as temporary:
            temporary.replace(path)

    def _link(self, path: Path, data: bytes) -> bool:
        """Give the data its name, unless the name is taken."""
        with self._temporary(data) as temporary:
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _NO_LINKS:
                    raise StoreError(
                        f"the file system of {self.root} has no hard links, which creating an "
                        "entry safely needs; put the store on a local disk"
                    ) from error
                raise
        return True

    @contextmanager
    def _temporary(self, data: bytes) -> Iterator[Path]:
        """A synced file of these bytes, under a name of its own until the block ends."""
        self._sweep()
        path, descriptor = self._locked_file()
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written : written + (1 << 24)])
            os.fsync(descriptor)
            yield path
        finally:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)

    def _locked_file(self) -> tuple[Path, int]:
        """Open a new temporary file and lock it, so that no sweep takes it for a leftover."""
        while True:
            path = self.root / _TEMPORARY / secrets.token_hex(16)
            descriptor = os.open(
                path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, self._file_mode
            )
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
            os.close(descriptor)  # a sweep came between open and lock

    def _sweep(self) -> None:
        """Remove, once an instance, what writers that were killed left behind."""
        if self._is_swept:
            return
        folder = self.root / _TEMPORARY
        self._make_folder(folder)
        for path in folder.iterdir():
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                finally:
                    os.close(descriptor)
        self._is_swept = True

    def _make_folder(self, folder: Path) -> None:
        """Make a folder of the store and see that its name is on disk, once an instance.

        The name is synced although the folder exists: whoever made it may have died before that.
        """
        if folder in self._durable:
            return
        if folder == self.root:
            self._make_root()
        else:
            self._make_folder(folder.parent)
            folder.mkdir(self._folder_mode, exist_ok=True)
            _sync_folder(folder.parent)
        self._durable.add(folder)

    def _make_root(self) -> None:
        missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
        for folder in reversed(missing):
            folder.mkdir(self._folder_mode, exist_ok=True)
            with suppress(PermissionError):  # a parent that may be searched but not read
                _sync_folder(folder.parent)

    def _failure(self, error: OSError, what: str) -> WarrantError:
        if error.errno in _FULL:
            return StoreUnavailableError(
                f"the store {self.root} is full: {what}; free some space and try again",
                retry_after_s=_FULL_RETRY_S,
            )
        if error.errno in _REFUSED:
            return StoreError(
                f"the store {self.root} refuses: {what}: {error.strerror}; "
                "check the permissions of that folder"
            )
        if error.errno in _LAYOUT:
            return StoreError(
                f"the store {self.root} is laid out differently: {what}: {error.strerror}"
            )
        return StoreUnavailableError(f"the store {self.root} failed: {what}: {error.strerror}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files_below(folder: Path) -> Iterator[Path]:
    """Every file below the folder whose relative name could be a key."""

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(where) / name for name in names if not name.startswith("."))
