"""How is work in the background done so that requests hardly notice it?

A Python thread that computes beside a busy event loop is slow, and makes the loop slow: the loop
lets go of the interpreter for each socket, wakes the thread that waits for it, and mostly has it
back before that one is up. Writing 5,000 rows took 8,000 such turns, and a fifth of a core. So what
computes goes in steps on the event loop itself, half a millisecond now and then; threads wait for
the store.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

__all__ = ["SLICE_S", "Slices", "Steps", "step_behind"]

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Work that rests at each ``yield``, and returns its result."""

SLICE_S = 0.001
"""Longest piece of background work, in seconds of the thread's own processor time."""

_PAUSES = 9
"""Seconds of pause a second of steps: they take a tenth of the event loop at most."""
_NICE = 10


def step_behind() -> None:
    """Let the kernel prefer every other thread of the process to this one."""
    if hasattr(os, "setpriority"):  # Linux gives each thread a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class _Job:
    """Steps, and whoever waits for their result."""

    def __init__(self, steps: Steps[Any]) -> None:
        self.result: Future[Any] = Future()
        self._steps = steps
        self._tell: Callable[[], None] | None = None

    def step(self) -> bool:
        """Do one step; return whether it was the last."""
        try:
            next(self._steps)
        except StopIteration as end:
            self._tell = partial(self.result.set_result, end.value)
        except Exception as error:  # noqa: BLE001 - raised where the result is waited for
            self._tell = partial(self.result.set_exception, error)
        return self._tell is not None

    def tell(self) -> None:
        """Hand over what came of it, after the last step; the next job may begin at once."""
        if self._tell is not None:
            self._tell()


class Slices:
    """Does a thread's work on an event loop while there is one; one job at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._job: _Job | None = None
        self.longest_s = 0.0
        """The longest piece on a loop, in seconds of processor time."""

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work on this loop from now on; to be called on it."""
        with self._lock:
            self._loop = loop

    def detach(self) -> None:
        """Work on no loop any more; on the loop, or when it ended."""
        with self._lock:
            self._loop, job, self._job = None, self._job, None
        if job is not None:
            self._work_here(job)

    def run(self, steps: Steps[Result], *, beside: bool = False) -> Result:
        """Return the result; what the steps raise is raised here. Not to be called on the loop.

        Args:
            steps: begun nowhere else.
            beside: work on the calling thread, with rests, even while there is a loop.
        """
        job = _Job(steps)
        with self._lock:
            loop = None if beside else self._loop
            if loop is not None:
                self._job = job
                loop.call_soon_threadsafe(self._slice)
        if loop is None:
            self._work_here(job)
        result: Result = job.result.result()
        return result

    def _work_here(self, job: _Job) -> None:
        began = time.thread_time()
        while not job.step():
            if self._loop is not None and time.thread_time() - began >= SLICE_S / 2:
                time.sleep(SLICE_S)
                began = time.thread_time()
        job.tell()

    def _slice(self) -> None:
        loop, job = self._loop, self._job
        if loop is None or job is None:
            return  # detached, which ended the job
        began, spent_s, is_done = time.thread_time(), 0.0, False
        while not is_done and spent_s < SLICE_S / 2:
            is_done = job.step()
            spent_s = time.thread_time() - began
        self.longest_s = max(self.longest_s, spent_s)
        if is_done:
            self._job = None
            job.tell()
        else:
            loop.call_later(_PAUSES * spent_s, self._slice)
