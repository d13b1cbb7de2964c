"""The service keeps its promises for a few seconds each; ``make endurance`` asks for minutes."""

from pathlib import Path

import pytest

from ci.endurance import PHASES, QUICK, run


@pytest.mark.parametrize("phase", PHASES)
def test_promise_is_kept(phase: str, tmp_path: Path) -> None:
    """Steady load, kills, promotions and rollbacks, ends, and a store that is gone for a while."""
    said = run(phase, QUICK, tmp_path)

    assert () == said.broken, said.words
