"""What the environment says, and what it may not say together."""

from datetime import UTC, datetime, timedelta

import pytest

from modelwarrant.errors import RequestError
from modelwarrant.stage.settings import read_settings


def test_without_a_played_time_the_clock_is_the_machine_s() -> None:
    """Within a minute of what Python says."""
    found = read_settings({}).now

    assert abs(datetime.now(UTC) - found) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["2026-02-03T08:00:00", "2026-02-03T09:00:00+01:00"])
def test_a_played_time_stands_still(text: str) -> None:
    """UTC where no zone is said."""
    settings = read_settings({"WARRANT_NOW": text})

    assert datetime(2026, 2, 3, 8, tzinfo=UTC) == settings.now == settings.now


@pytest.mark.parametrize(
    "environment",
    [
        {"WARRANT_NOW": "soon"},
        {"WARRANT_NOW": "2026-02-03", "WARRANT_GATE": "modelwarrant-system"},
        {"WARRANT_NOW": "2026-02-03", "WARRANT_STORE": "s3://bucket"},
    ],
)
def test_a_time_is_played_on_a_laptop_only(environment: dict[str, str]) -> None:
    """One error that names the variable; a ledger that others rely on knows one clock."""
    with pytest.raises(RequestError, match="WARRANT_NOW"):
        read_settings(environment)
