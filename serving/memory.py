"""How does memory that was freed go back to the system?

Parsing a model needs ten times its size for a moment (a forest of 3 MB: 37 MB), and glibc keeps
what was freed for the next one. A service loads a model a week.
"""

import ctypes
from collections.abc import Callable
from functools import cache

__all__ = ["give_back"]


def give_back() -> None:
    """Return freed memory to the system, where the C library knows how: glibc does.

    Takes milliseconds, in which other threads that allocate may wait.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim
