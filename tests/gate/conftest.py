"""A laptop's gate over a folder."""

from pathlib import Path

import pytest

from tests.gate.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A store whose ledger has just begun."""
    return Desk(tmp_path)
