"""What do the phases of ``ci.endurance`` run? Real processes that serve a store of their own."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from ci.steady_load import Replica, Truth
from tests.serving.place import Place
from tests.serving.test_process import PROGRAM
from tests.serving.tiny import air_time_model

__all__ = ["Service", "World", "page", "until"]

_START_S: Final = 60.0
"""Longest wait for a service to start, to end, or to come to where it should be."""


class Service(Replica):
    """A process that serves a place, with a cache that outlives it."""

    def __init__(self, place: Place, cache: Path, **settings: Any) -> None:
        super().__init__()
        arguments = [str(place.root), str(cache), json.dumps(settings)]
        self._command = [sys.executable, "-c", PROGRAM, *arguments]
        self._log = cache.parent / f"{cache.name}.log"

    async def start(self) -> None:
        """Start it and wait until it is ready; only then clients see it."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, text=True
            )
        pipe: Any = self.process.stdout
        address = await asyncio.to_thread(pipe.readline)
        port = int(address.rpartition(":")[2])
        await until(lambda: page(port, "/readyz").get("ready") is True)
        self.port = port

    def kill(self) -> int:
        """End it at once; return the requests it had not answered."""
        had, self.port = self.in_flight, None
        self.life += 1
        self.process.kill()
        self.process.communicate()
        return had

    async def end(self) -> int:
        """Ask it to end; return its exit code."""
        self.port = None
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.communicate, timeout=_START_S)
        return self.process.returncode

    def said(self) -> str:
        """Return its log, of all its lives."""
        return self._log.read_text(encoding="utf-8")

    def memory_mb(self) -> float:
        """Return the memory that the process holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class World:
    """A store with one version in production and one that waits, and what each must answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = Place(folder / "store")
        self.truth = Truth()
        self.promote(1.0)

    def promote(self, bias: float) -> int:
        """Put a new version into production; what it answers is known before it can."""
        made = air_time_model(bias=bias)
        version, decided = self.place.decide(made)
        digest = self.place.ledger.state().version(version).digest
        self.truth.learn(version, bias, digest)
        self.place.promote_decided(version, decided)
        return version

    def service(self, name: str, **settings: Any) -> Service:
        """Return a replica that was not started yet."""
        return Service(self.place, self.folder / name, **settings)

    def logged_rows(self) -> int:
        """Return the rows of every file of the payload log; each must be whole."""
        return sum(
            pq.read_metadata(io.BytesIO(self.place.store.get(key) or b"")).num_rows
            for key in self.place.store.list("payload/")
        )


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something; it may take its time, and is asked beside the event loop."""
    deadline = time.monotonic() + _START_S
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            raise SystemExit("endurance: the service did not come to where it should be")
        await asyncio.sleep(0.01)


def page(port: int | None, path: str) -> dict[str, Any]:
    """Return a page of the service as JSON, empty where there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except (urllib.error.URLError, OSError, ValueError):
        return {}
