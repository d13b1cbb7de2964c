"""One laptop whose model was approved; every test works on a copy."""

from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Laptop, demand
from tests.monitoring.season import Season, copied

LONGER = PROJECT.replace(
    "reference: 2024-01-01..2024-03-01, current: 2024-03-01..2024-06-01, final: 0.4",
    "reference: 2024-01-01..2024-01-20, current: 2024-01-20..2024-06-01, final: 0.6",
)
"""1,900 labels that no training saw: enough for the test of the loss."""


@pytest.fixture(scope="session")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """A project whose first model is in production."""
    folder = tmp_path_factory.mktemp("approved")
    (folder / "project").mkdir()
    demand().to_csv(folder / "project" / "demand.csv", index=False)
    (folder / "project" / "warrant.yaml").write_text(LONGER)
    laptop = Laptop(folder)
    asked = laptop.json("run", expect=10)
    laptop("approve", asked["request"], "--reason", "first model", actor="grace")
    return laptop


@pytest.fixture
def season(approved: Laptop, tmp_path: Path) -> Season:
    """A copy of that laptop."""
    return copied(approved, tmp_path)
