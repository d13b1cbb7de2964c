"""May the service parse this model, or would that be its last act?

A file whose digest is right can still hold a graph that asks for a terabyte, never ends, or finds a
fault in its parser. So another process parses it first, under limits; see ``serving.trial_child``.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from modelwarrant.errors import BundleError, StoreUnavailableError

__all__ = ["Trial", "room_bytes"]

_CHILD: Final = Path(__file__).with_name("trial_child.py")
_CGROUP: Final = Path("/sys/fs/cgroup")
_OWN_BYTES: Final = 200 * 2**20
"""Address space of the child before it loads a model; a quarter of it is memory."""

_ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_TRIES: Final = 2
"""Processes that may be killed from outside before that counts against the model: where memory
runs out the machine ends this one first, whoever used it up."""


class Trial:
    """Tries models in processes of their own.

    Args:
        memory_bytes: address space that the process may have, its own 0.2 GB included; less where
            the container has less room, since Kubernetes ends a whole container that runs out.
        cpu_s: processor seconds that it may use.
        wall_s: seconds until it is ended, however little it was allowed to run.
    """

    def __init__(
        self, *, memory_bytes: int = 2 * 2**30, cpu_s: int = 20, wall_s: float = 120.0
    ) -> None:
        self._memory_bytes = memory_bytes
        self._cpu_s = cpu_s
        self._wall_s = wall_s
        self._prepared: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start the process for the next model now, so that it waits for nothing later."""
        if self._prepared is None:
            self._prepared = self._start()

    def close(self) -> None:
        """End a process that was prepared and never needed."""
        child, self._prepared = self._prepared, None
        if child is not None:
            child.kill()
            child.communicate()

    def check(self, model: bytes, *, name: str) -> None:
        """Let another process load the model and answer with it.

        Args:
            model: bytes of ``model.onnx``, whose digest was compared before.
            name: the file, for error messages.

        Raises:
            BundleError: it does not load, or not within the limits.
            StoreUnavailableError: this machine was too busy to try; the next look tries again.
        """
        for _ in range(_TRIES):
            child, verdict = self._tried(model, name)
            if verdict == "ok":
                return
            if verdict or child.returncode != -signal.SIGKILL:
                break
        raise BundleError(f"{name}: refused in a trial: {self._words(child, verdict)}")

    def _tried(self, model: bytes, name: str) -> "tuple[subprocess.Popen[bytes], str]":
        """Return the process that tried the model, ended, and what it said."""
        child, self._prepared = self._prepared, None
        if child is None or child.poll() is not None:
            child = self._start()
        memory_bytes = min(self._memory_bytes, room_bytes(_CGROUP) or self._memory_bytes)
        limits = json.dumps({"memory_bytes": memory_bytes, "cpu_s": self._cpu_s})
        try:
            out, _ = child.communicate(limits.encode() + b"\n" + model, timeout=self._wall_s)
        except subprocess.TimeoutExpired as error:
            child.kill()
            child.communicate()
            raise StoreUnavailableError(
                f"{name}: the trial of the model did not end within {self._wall_s:g} s"
            ) from error
        return child, out.decode("utf-8", "replace").strip()

    def _words(self, child: "subprocess.Popen[bytes]", verdict: str) -> str:
        if verdict:
            return verdict
        if child.returncode == -signal.SIGXCPU:
            return f"it used {self._cpu_s} s of processor time"
        if child.returncode == -signal.SIGKILL:
            return "each process that read it was killed; it may use all memory of the machine"
        return f"it ended the process that read it (exit {child.returncode})"

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
            start_new_session=True,
        )


def room_bytes(cgroup: Path) -> int | None:
    """Return the address space that a child may have in a container, None where none is bounded.

    Four fifths of what is left of the container's memory, beside what a child maps and never uses.

    Args:
        cgroup: the folder of the container's control group, version 2.
    """
    try:
        limit = (cgroup / "memory.max").read_text(encoding="ascii").strip()
        used = (cgroup / "memory.current").read_text(encoding="ascii").strip()
    except OSError:
        return None
    if not (limit.isdecimal() and used.isdecimal()):
        return None  # "max": no bound
    return _OWN_BYTES + max(0, int(limit) - int(used)) * 4 // 5
