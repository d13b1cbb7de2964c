"""How is a pass repeated, hour after hour, without one failure ending it all?"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from modelwarrant.cli.options import note
from modelwarrant.errors import ProjectError, TemporaryError
from modelwarrant.project.periods import parse_period

__all__ = ["period_of", "repeat"]


def period_of(text: str, option: str) -> timedelta:
    """Read a period such as ``1h``.

    Raises:
        ProjectError: it is none; names the option.
    """
    try:
        return parse_period(text)
    except ValueError as error:
        raise ProjectError(f"{option} {text!r}: {error}") from error


def repeat(
    one: Callable[[], object], period: str, *, sleep: Callable[[float], None] = time.sleep
) -> NoReturn:
    """Call again and again until the person ends it, or something must be changed.

    Args:
        one: makes a pass; what may succeed later is said and tried again at the next turn.
        period: such as ``1h``; a pass that takes longer is followed by the next at once.
        sleep: waits that many seconds.

    Raises:
        ProjectError: it is no period.
    """
    seconds = period_of(period, "--every").total_seconds()
    while True:
        began = time.monotonic()
        try:
            one()
        except TemporaryError as error:
            note(f"warrant: {error}; tried again in {period}")
        sleep(max(0.0, seconds - (time.monotonic() - began)))
