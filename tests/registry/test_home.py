"""What a laptop keeps outside the store."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelwarrant.errors import RegistryError
from modelwarrant.registry import LaptopHome, Pin, Signer

PIN = Pin(
    store="/data/.warrant",
    model="flights",
    genesis="sha256:" + "a" * 64,
    anchor_seq=7,
    anchor_digest="sha256:" + "b" * 64,
)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """A second process finds the first one's key."""
    first = LaptopHome(tmp_path / "home").signer()

    assert first.public == LaptopHome(tmp_path / "home").signer().public


def test_the_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """File 0600, folder 0700, from the moment they exist."""
    LaptopHome(tmp_path / "home").signer()

    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "signing-key.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The message says what to do."""
    home = LaptopHome(tmp_path)
    home.signer()
    (tmp_path / "signing-key.pem").chmod(0o644)

    with pytest.raises(RegistryError, match=r"mode 0644.*chmod 600"):
        home.signer()


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_broken_key_file_is_named(tmp_path: Path, content: bytes) -> None:
    """A key that cannot be read is an error, never replaced by a new one."""
    path = tmp_path / "signing-key.pem"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(RegistryError, match=r"signing-key\.pem: not a private key"):
        LaptopHome(tmp_path).signer()
    assert content == path.read_bytes()


def test_first_processes_agree_on_one_key(tmp_path: Path) -> None:
    """The first use is a race that one process wins."""
    program = (
        "import sys; from pathlib import Path; from modelwarrant.registry import LaptopHome; "
        "print(LaptopHome(Path(sys.argv[1])).signer().public.id)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "home")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]

    assert len({process.communicate()[0] for process in processes}) == 1
    assert all(process.returncode == 0 for process in processes)


def test_a_key_survives_its_file(tmp_path: Path) -> None:
    """What was signed before is by the key that is read back."""
    signer = Signer.generate()

    assert signer.sign(b"x") == Signer.from_pem(signer.to_pem(), name="key").sign(b"x")


def test_the_private_key_is_not_shown() -> None:
    """A signer can be printed."""
    assert "PRIVATE" not in repr(Signer.generate()).upper()


def test_a_ledger_is_remembered_by_store_and_model(tmp_path: Path) -> None:
    """The same model in another store is another ledger."""
    home = LaptopHome(tmp_path)
    home.remember(PIN)
    later = PIN.model_copy(update={"anchor_seq": 9})
    home.remember(later)

    assert later == home.pin("/data/.warrant", "flights")
    assert home.pin("/elsewhere", "flights") is None
    assert home.pin("/data/.warrant", "electricity") is None
    assert later.anchor.seq == 9
