"""Many processes write one ledger in a folder, and some are killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from modelwarrant.registry import Ledger, Signer
from modelwarrant.storage import DirectoryStore
from tests.registry.world import MODEL, Scribe

WRITER = """
import sys
from pathlib import Path
from modelwarrant.registry import Ledger, Signer
from modelwarrant.storage import DirectoryStore
from tests.registry.world import MODEL, NOW, action

folder, pem, name, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
signer = Signer.from_pem(pem.read_bytes(), name=str(pem))
ledger = Ledger(DirectoryStore(folder), MODEL, signer)
for number in range(count):
    txn = f"{name}-{number}"
    entry = ledger.append("act", action(txn), txn=txn, actor=name, now=NOW)
    print(txn, entry.seq, flush=True)
"""


class Writers:
    """Starts writers of one ledger and reads what they were promised."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pem = folder / "store", folder / "key.pem"
        signer = Signer.generate()
        self.pem.write_bytes(signer.to_pem())
        Scribe(DirectoryStore(self.folder), signer).begin()

    def start(self, name: str, count: int) -> subprocess.Popen[str]:
        """Start one that appends so many entries."""
        command = [sys.executable, "-c", WRITER, self.folder, self.pem, name, str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def promised(process: subprocess.Popen[str]) -> dict[str, int]:
        """What a writer was told: txn to seq."""
        lines = process.communicate()[0].split("\n")[:-1]
        return {txn: int(seq) for txn, seq in (line.split() for line in lines)}

    def written(self) -> dict[str, int]:
        """What is in the log after the first two entries, each txn once, without gaps."""
        ledger = Ledger(DirectoryStore(self.folder), MODEL)
        ledger.verify()
        entries = ledger.entries()[2:]
        assert len({entry.txn for entry in entries}) == len(entries)
        return {entry.txn: entry.seq for entry in entries}


def check_writers(folder: Path, *, processes: int, count: int) -> None:
    """Let them write, and compare what they were promised with what is there."""
    writers = Writers(folder)
    running = [writers.start(f"writer{number}", count) for number in range(processes)]
    promised: dict[str, int] = {}
    for process in running:
        promised |= writers.promised(process)

    assert all(process.returncode == 0 for process in running)
    assert promised == writers.written()
    assert len(promised) == processes * count


def check_killed(folder: Path, *, rounds: int, count: int, seed: int) -> None:
    """Kill writers in the middle, again and again, and retry what they had begun."""
    writers, chance = Writers(folder), np.random.default_rng(seed)
    promised: dict[str, int] = {}
    for number in range(rounds):
        process = writers.start(f"writer{number}", count)
        time.sleep(0.15 + chance.random() * 0.35)
        process.send_signal(signal.SIGKILL)
        promised |= writers.promised(process)
        promised |= writers.promised(writers.start(f"writer{number}", 3))
    written = writers.written()

    assert promised.items() <= written.items()
    DirectoryStore(writers.folder).create("probe/next-writer", b"sweeps")
    assert list((writers.folder / ".tmp").iterdir()) == []


def test_writers_in_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every acknowledged entry is where it was acknowledged; none twice, no gap."""
    check_writers(tmp_path, processes=4, count=10)


def test_killed_writers_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """Kill -9 at any moment leaves a ledger that verifies, with every promise kept."""
    check_killed(tmp_path, rounds=3, count=200, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    """16 processes x 250 entries: 4,000 entries."""
    check_writers(tmp_path, processes=16, count=250)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_killed_writers_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """60 kills at random moments."""
    check_killed(tmp_path, rounds=60, count=500, seed=2)
