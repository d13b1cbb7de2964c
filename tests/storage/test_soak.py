"""Writers and the store itself are killed, again and again; nothing acknowledged is lost.

``make soak`` runs it whole: 1,000 clients and 50 times the store, over 5,000 entries.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelwarrant.errors import TemporaryError
from modelwarrant.registry import Anchor, Ledger, Signer
from modelwarrant.storage import ObjectStore, S3Settings, open_store
from tests.registry.world import MODEL, NOW, Scribe, action
from tests.storage.server import MinioServer

IS_WHOLE = os.environ.get("WARRANT_SOAK") == "whole"
CLIENTS, STORES, ENTRIES = (1000, 50, 5000) if IS_WHOLE else (60, 3, 300)
WRITERS = 4
FORK = get_context("fork")  # a new interpreter would take longer than a client lives here


def _opened(settings: S3Settings) -> ObjectStore:
    return open_store("s3://warrant/soak", s3=settings)


def write(
    settings: S3Settings, ledger: Ledger, name: str, first: int, told: Connection, most: Any
) -> None:
    """Append up to the entry ``most``; say what was acknowledged, ask again for what failed."""
    ledger.store = _opened(settings)  # a copy by fork, with connections of its own
    number, seq = first, 0
    while True:
        if seq >= most.value:
            time.sleep(0.01)
            continue
        txn = f"{name}-{number}"
        try:
            entry = ledger.append("act", action(txn), txn=txn, actor=name, now=NOW)
        except TemporaryError:
            time.sleep(0.05)
            continue
        seq = entry.seq
        told.send((txn, seq))
        number += 1


@dataclass
class Writer:
    """A process that is to be killed, and what it said."""

    name: str
    process: BaseProcess
    said: Connection
    acknowledged: dict[str, int] = field(default_factory=dict)

    def listen(self) -> None:
        """Take what it said so far."""
        try:
            while self.said.poll():
                txn, seq = self.said.recv()
                self.acknowledged[txn] = seq
        except (EOFError, OSError):  # it died while it spoke
            return


class Soak:
    """A store, writers, and everything that was ever acknowledged."""

    def __init__(self, server: MinioServer) -> None:
        self.server, signer = server, Signer.generate()
        Scribe(_opened(server.settings), signer).begin()
        self.ledger = Ledger(_opened(server.settings), MODEL, signer)
        self.told: dict[str, int] = {}
        self.most = FORK.Value("q", ENTRIES // CLIENTS)
        """How far the log may go: the kills are spread over all entries."""
        self.anchor: Anchor | None = None
        self.writers = [self.start(f"writer{number}", 0) for number in range(WRITERS)]

    def start(self, name: str, first: int) -> Writer:
        """Start a writer that begins with its ``first``-th entry, written before or not."""
        self.ledger.state()  # so that a client that lives for 0.1 s need not read the whole log
        here, there = FORK.Pipe(duplex=False)
        arguments = (self.server.settings, self.ledger, name, first, there, self.most)
        process = FORK.Process(target=write, args=arguments, daemon=True)
        process.start()
        there.close()
        return Writer(name, process, here)

    def kill_a_writer(self, number: int) -> None:
        """Kill one in the middle; another goes on with what was under way."""
        self.most.value += ENTRIES // CLIENTS
        writer = self.writers[number]
        assert writer.process.pid is not None
        os.kill(writer.process.pid, signal.SIGKILL)
        writer.process.join()
        writer.listen()
        self.told |= writer.acknowledged
        done = sum(txn.startswith(f"{writer.name}-") for txn in self.told)
        writer.said.close()
        self.writers[number] = self.start(writer.name, done)

    def kill_the_store(self) -> None:
        """Kill the server in the middle, and start it on what it left."""
        self.server.stop(signal.SIGKILL)
        self.server.start()

    def check(self) -> int:
        """Everything acknowledged is where it was acknowledged, once; the ledger verifies."""
        for writer in self.writers:
            writer.listen()
            self.told |= writer.acknowledged
        ledger = Ledger(_opened(self.server.settings), MODEL, readers=8)
        found = ledger.verify(() if self.anchor is None else (self.anchor,))
        self.anchor = Anchor(model=MODEL, seq=found.seq, digest=found.digest)
        entries = ledger.entries()
        there = {entry.txn: entry.seq for entry in entries}
        assert self.told.items() <= there.items()
        assert len(there) == len(entries)
        return found.seq

    def end(self) -> None:
        """Stop every writer."""
        for writer in self.writers:
            writer.process.kill()
            writer.process.join()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_acknowledged_entry_is_lost_to_kills(tmp_path: Path) -> None:
    """0 lost, 0 double, 0 gaps; verified after each kill of the store, and in between."""
    server, chance = MinioServer(tmp_path), np.random.default_rng(7)
    server.start()
    soak = Soak(server)
    clients = stores = entries = 0
    started = time.monotonic()
    try:
        while clients < CLIENTS or stores < STORES or entries < ENTRIES:
            time.sleep(0.02 + chance.random() * 0.1)  # at any point of an append
            soak.kill_a_writer(int(chance.integers(WRITERS)))
            clients += 1
            if stores < STORES and clients % (CLIENTS // STORES) == 0:
                soak.kill_the_store()
                stores += 1
                entries = soak.check()
            elif clients % (CLIENTS // 20) == 0:
                entries = soak.check()
        entries = soak.check()
    finally:
        soak.end()
        server.stop()
    sys.stdout.write(
        f"\n{clients} client kills, {stores} store kills, {entries} entries, "
        f"{len(soak.told)} acknowledged, 0 lost, 0 double, 0 gaps "
        f"({time.monotonic() - started:.0f} s)\n"
    )
