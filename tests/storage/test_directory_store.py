"""What only a folder can suffer: kill -9, full disks, permissions."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelwarrant.errors import StoreError
from modelwarrant.storage import DirectoryStore, ObjectStore, open_store, probe, refuse_unfit


def _run(
    program: str, *arguments: object, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a small program that imports the library, in a process of its own."""
    command = [*before, sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """A store path that is a file is refused with its name."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match="file is a file"):
        open_store(str(tmp_path / "file"))


@pytest.mark.parametrize("uri", ["", "ftp://host/x", "s3://bucket/prefix"])
def test_an_address_that_is_no_store_is_refused(uri: str) -> None:
    """Unknown schemes, no name, and S3 without settings are one clear error each."""
    with pytest.raises(StoreError):
        open_store(uri)


def test_reading_makes_no_folder(tmp_path: Path) -> None:
    """Only a write makes the store's folder."""
    store = DirectoryStore(tmp_path / "deep" / "store")

    assert store.get("a") is None
    assert list(store.list("")) == []
    assert not (tmp_path / "deep").exists()


def test_a_killed_writer_leaves_nothing_visible(tmp_path: Path) -> None:
    """After kill -9 within a write the key is absent, and the next writer removes the leftover."""
    program = """
        import os, signal, sys
        from modelwarrant.storage import DirectoryStore

        store = DirectoryStore(sys.argv[1])
        with store._temporary(b"half written"):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    died = _run(program, tmp_path)
    leftovers = list((tmp_path / ".tmp").iterdir())
    store = DirectoryStore(tmp_path)

    assert died.returncode == -signal.SIGKILL
    assert len(leftovers) == 1
    assert list(store.list("")) == []
    assert store.create("k/one", b"whole")
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_sweep_spares_living_writers(tmp_path: Path) -> None:
    """A second process that starts to write does not remove the first one's temporary file."""
    first, second = DirectoryStore(tmp_path), DirectoryStore(tmp_path)
    with first._temporary(b"in flight") as path:
        second.create("k/one", b"x")

        assert path.read_bytes() == b"in flight"


def test_a_store_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """A process that outlives its folder writes into a new one."""
    store = DirectoryStore(tmp_path / "store")
    store.create("k/one", b"old")
    shutil.rmtree(tmp_path / "store")
    store.put("k/two", b"put")

    assert store.create("k/one", b"new")
    assert (store.get("k/one"), store.get("k/two")) == (b"new", b"put")


def test_a_full_disk_is_temporary_and_leaves_no_half_object(tmp_path: Path) -> None:
    """ENOSPC is StoreUnavailableError naming the store, and what was there still reads."""
    program = """
        import sys
        from modelwarrant.errors import StoreUnavailableError
        from modelwarrant.storage import DirectoryStore

        store = DirectoryStore(sys.argv[1])
        store.create("k/small", b"kept")
        for write in (store.create, store.put):
            try:
                write("k/large", b"x" * 2_000_000)
            except StoreUnavailableError as error:
                print(error)
        print(list(store.list("")), store.get("k/small"), store.create("k/next", b"y"))
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=256k none {disk} && exec "$@"'
    done = _run(program, disk, before=("unshare", "-rm", "sh", "-c", mount, "sh"))
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")

    assert done.stderr == ""
    first, second, rest = done.stdout.splitlines()
    assert f"the store {disk} is full: k/large was not written" in first
    assert f"the store {disk} is full: k/large was not written" in second
    assert rest == "['k/small'] b'kept' True"


def test_a_read_only_folder_is_refused_by_name(tmp_path: Path) -> None:
    """Writing where one may not write is StoreError naming the folder; reading still works."""
    program = """
        import os, sys
        from modelwarrant.errors import StoreError
        from modelwarrant.storage import DirectoryStore

        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        store = DirectoryStore(sys.argv[1])
        for call in (store.create, store.put):
            try:
                call("k/two", b"x")
            except StoreError as error:
                print(error)
        try:
            store.delete("k/one")
        except StoreError as error:
            print(error)
        print(store.get("k/one"))
    """
    store = DirectoryStore(tmp_path / "store")
    store.create("k/one", b"kept")
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    for folder in (store.root, store.root / "k", store.root / ".tmp"):
        folder.chmod(0o555)
    done = _run(program, store.root)
    for folder in (store.root, store.root / "k", store.root / ".tmp"):
        folder.chmod(0o755)

    assert done.stderr == ""
    *refusals, read = done.stdout.splitlines()
    assert len(refusals) == 3
    assert all(f"the store {store.root} refuses" in line for line in refusals)
    assert read == "b'kept'"


def test_an_object_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    """A key below another object is refused, naming the key."""
    store = DirectoryStore(tmp_path)
    store.create("k", b"object")

    with pytest.raises(StoreError, match="k/below was not written"):
        store.create("k/below", b"x")


def test_the_probe_refuses_a_store_that_overwrites(tmp_path: Path) -> None:
    """A store that ignores the condition is refused with the checks that failed."""

    class Overwriting(DirectoryStore):
        def create(self, key: str, data: bytes) -> bool:
            self.put(key, data)
            return True

    store: ObjectStore = Overwriting(tmp_path)

    with pytest.raises(StoreError, match=r"create twice: .*race: .*condition after a refusal: "):
        refuse_unfit(store, probe(store))


def test_the_probe_reports_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    """The probe ends in findings, not in an exception, whatever the store answers."""
    (tmp_path / "probe").write_text("in the way")
    findings = probe(DirectoryStore(tmp_path))

    assert [finding.check for finding in findings if not finding.is_kept] == [
        "create twice",
        "read after write",
        "race",
        "condition after a refusal",
        "list",
        "delete and create",
        "versions",
    ]
