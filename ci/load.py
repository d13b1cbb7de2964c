"""How many requests a second does a server answer, how fast, and at what cost?

wrk makes the load from a thread of its own; processor time and memory are those of the server's
whole process tree, as Linux counts them.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Measured", "Request", "Server", "require_wrk"]

_CONNECTIONS = 16
_START_S = 90.0
_END_S = 10.0
_WAIT_S = 30
"""Longest wait for an answer; wrk's own 2 s would call a slow server a broken one."""


@dataclass(frozen=True)
class Request:
    """What is sent again and again."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Measured:
    """What one load showed."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """Processor time of the server a request."""
    memory_mb: float
    """Resident memory of the server's processes after the load."""
    failed: int
    """Answers that were not 2xx, and connections that broke."""


def require_wrk() -> None:
    """End with a word on what to install where wrk is absent."""
    if shutil.which("wrk") is None:
        raise SystemExit("warrant: the load is made by wrk: apt-get install wrk")


class Server:
    """A server process, and everything it started, until the block ends.

    Args:
        command: starts it.
        port: where it listens.
        ready: path and body of a request that it answers with 200 once it is ready.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        ready: Request,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._command = command
        self._port = port
        self._ready = ready
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self.ready_s = 0.0
        """Seconds from the start of the process to the first good answer."""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        if self._answers():
            raise SystemExit(f"something answers on port {self._port} already: end it first")
        started = time.monotonic()
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdout=self._log,
            stderr=self._log,
            env=self._env,
            cwd=self._cwd,
            start_new_session=True,
        )
        while not self._answers():
            ended = self._process.poll() is not None
            if ended or time.monotonic() - started > _START_S:
                self.__exit__(None, None, None)
                raise SystemExit(f"{self._command[0]} did not start:\n{self._said()}")
            time.sleep(0.01)
        self.ready_s = time.monotonic() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and what it started, all of it: the next one takes the same port."""
        left = self._tree()
        self._signal(left, signal.SIGTERM)
        ends_at = time.monotonic() + _END_S
        while time.monotonic() < ends_at and any(map(self._lives, left)):
            time.sleep(0.02)
        self._signal(left, signal.SIGKILL)
        self._process.wait()

    def _signal(self, processes: Sequence[int], number: signal.Signals) -> None:
        for process in processes:
            if self._lives(process):
                with suppress(ProcessLookupError):
                    os.kill(process, number)

    def _lives(self, process: int) -> bool:
        """Whether a process of ours is still there; our own child is reaped on the way."""
        if process == self._process.pid:
            return self._process.poll() is None
        return Path(f"/proc/{process}").exists()

    def load(self, request: Request, *, seconds: float) -> Measured:
        """Send a request again and again over 16 connections."""
        with tempfile.TemporaryDirectory() as folder:
            script = _script(request, Path(folder))
            self._wrk(script, 1.0)  # warm
            before = self._cpu_s()
            text = self._wrk(script, seconds)
            spent_s = self._cpu_s() - before
        count = int(_found(r"(\d+) requests in", text))
        failed = sum(
            int(number)
            for line in re.findall(r"Non-2xx.*|Socket errors.*", text)
            for number in re.findall(r"\d+", line.replace("2xx", "").replace("3xx", ""))
        )
        return Measured(
            requests_per_s=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
            p50_ms=_ms(_found(r"\n +50% +(\S+)", text)),
            p99_ms=_ms(_found(r"\n +99% +(\S+)", text)),
            cpu_us=spent_s / max(1, count) * 1e6,
            memory_mb=self._memory_mb(),
            failed=failed,
        )

    def _wrk(self, script: Path, seconds: float) -> str:
        address = f"http://127.0.0.1:{self._port}"
        length = f"{max(1, round(seconds))}s"
        options = ["-t1", f"-c{_CONNECTIONS}", f"-d{length}", "--latency", f"--timeout={_WAIT_S}s"]
        command = ["wrk", *options, "-s", str(script), address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}\n{self._said()}")
        return done.stdout

    def _answers(self) -> bool:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{self._ready.path}",
            data=self._ready.body or None,
            headers=dict(self._ready.headers),
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - the same
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()[-2000:].decode("utf-8", "replace")

    def _tree(self) -> list[int]:
        """Return the server's process and all its descendants, in whatever session."""
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it has just ended
            children.setdefault(parent, []).append(int(stat.parent.name))
        found, todo = [], [self._process.pid]
        while todo:
            found.append(todo.pop())
            todo += children.get(found[-1], [])
        return found

    def _cpu_s(self) -> float:
        ticks = 0
        for process in self._tree():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _memory_mb(self) -> float:
        kilobytes = 0
        for process in self._tree():
            status = Path(f"/proc/{process}/status").read_text()
            kilobytes += int(_found(r"VmRSS:\s+(\d+)", status))
        return kilobytes / 1024


def _script(request: Request, folder: Path) -> Path:
    """Write the Lua that tells wrk what to send."""
    (folder / "body").write_bytes(request.body)
    headers = "".join(
        f'wrk.headers["{name}"] = "{value}"\n' for name, value in request.headers.items()
    )
    script = folder / "load.lua"
    script.write_text(
        f'local file = io.open("{folder / "body"}", "rb")\n'
        f'wrk.method = "POST"\nwrk.body = file:read("*a")\nwrk.path = "{request.path}"\n{headers}',
        encoding="utf-8",
    )
    return script


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"no {pattern} in:\n{text}")
    return found[1]


def _ms(text: str) -> float:
    """Return a time of wrk in milliseconds.

    >>> _ms("250.00us"), _ms("1.50ms"), _ms("2.00s")
    (0.25, 1.5, 2000.0)
    """
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise SystemExit(f"wrk told a time as {text}")
