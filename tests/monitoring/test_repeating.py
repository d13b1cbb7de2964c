"""A monitor that repeats outlives what may be better later, and nothing else."""

import pytest

from modelwarrant.cli.repeating import repeat
from modelwarrant.errors import BusyError, ProjectError, StoreError


class Passes:
    """Passes that fail as they are told, and a clock that only counts."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.slept: list[float] = []

    def one(self) -> None:
        """Make a pass, or fail."""
        failure = self.failures.pop(0)
        if failure is not None:
            raise failure

    def sleep(self, seconds: float) -> None:
        """Note how long it would have slept."""
        self.slept.append(seconds)


def test_what_is_temporary_is_said_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The third pass meets a fault that somebody must mend."""
    passes = Passes(None, BusyError("another pass is at work"), StoreError("read-only"))

    with pytest.raises(StoreError):
        repeat(passes.one, "1h", sleep=passes.sleep)

    assert 2 == len(passes.slept)
    assert all(3599 < seconds <= 3600 for seconds in passes.slept)
    assert "another pass is at work; tried again in 1h" in capsys.readouterr().err


def test_a_period_that_is_none_is_named() -> None:
    """With the option that was typed."""
    with pytest.raises(ProjectError, match="--every 'often'"):
        repeat(lambda: None, "often")
