"""How is work in the background cut so that requests hardly notice it?

A Python thread that computes for 5 ms keeps the event loop waiting for 5 ms. So background threads
do a little, then sleep, and the kernel runs them after everybody else.
"""

import os
import threading
import time
from collections.abc import Callable

__all__ = ["SLICE_S", "Slices", "step_behind"]

SLICE_S = 0.001
"""Longest piece of background work, in seconds of the thread's own processor time."""

_PAUSE_S = 0.001
_NICE = 10


def step_behind() -> None:
    """Let the kernel prefer every other thread of the process to this one."""
    if hasattr(os, "setpriority"):  # Linux gives each thread a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Slices:
    """Sleeps between pieces of work; ``longest_s`` says how long a piece was.

    Args:
        is_hurried: whether to sleep at all; a process that ends does not.
    """

    def __init__(self, *, is_hurried: Callable[[], bool] = lambda: False) -> None:
        self._is_hurried = is_hurried
        self._began = time.thread_time()
        self.longest_s = 0.0
        """The longest piece since the object was made, in seconds of processor time."""

    def begin(self) -> None:
        """Say that a piece begins."""
        self._began = time.thread_time()

    def end(self) -> None:
        """Say that a piece ended; sleeps where half a slice was used up."""
        spent_s = time.thread_time() - self._began
        self.longest_s = max(self.longest_s, spent_s)
        if spent_s >= SLICE_S / 2 and not self._is_hurried():
            time.sleep(_PAUSE_S)
            self._began = time.thread_time()
