"""Which exit code does an error end a process with?"""

import errno
from typing import Final

from modelwarrant.errors import PermanentError, TemporaryError

__all__ = ["EXIT_OK", "EXIT_PERMANENT", "EXIT_TEMPORARY", "EXIT_UNEXPECTED", "exit_code"]

EXIT_OK: Final = 0
EXIT_PERMANENT: Final = 2
"""The user must change something."""
EXIT_TEMPORARY: Final = 75
"""Try again later; EX_TEMPFAIL of sysexits.h."""
EXIT_UNEXPECTED: Final = 70
"""A fault of ours; EX_SOFTWARE of sysexits.h."""


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error that reached the edge of a process.

    >>> exit_code(TemporaryError("the store did not answer"))
    75
    """
    table: tuple[tuple[type[BaseException], int], ...] = (
        (PermanentError, EXIT_PERMANENT),
        (TemporaryError, EXIT_TEMPORARY),
        (KeyboardInterrupt, 130),
    )
    if isinstance(error, OSError):
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return EXIT_TEMPORARY if is_full else EXIT_PERMANENT
    for kind, code in table:
        if isinstance(error, kind):
            return code
    return EXIT_UNEXPECTED
