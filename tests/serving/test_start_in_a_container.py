"""A container is told everything by its environment, and says in one line what is wrong with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelwarrant.errors import WarrantError
from serving.__main__ import Environment

GOOD = {"WARRANT_MODEL": "demand", "WARRANT_STORE": "/store"}
GENESIS = "sha256:" + "0" * 64


def test_two_variables_are_enough() -> None:
    """All else has the defaults of a container: every address, a cache folder, no grace."""
    told = Environment.read(GOOD)

    assert ("demand", "/store", None) == (told.model, told.store, told.genesis)
    assert ("0.0.0.0", 8080) == (told.host, told.port)  # noqa: S104
    assert (Path("/cache"), 0.0) == (told.cache, told.grace_s)


def test_each_variable_is_heard() -> None:
    """What the Deployment sets is what the service uses."""
    told = Environment.read(
        GOOD
        | {"WARRANT_HOST": "::1", "WARRANT_PORT": "0", "WARRANT_CACHE": "/c"}
        | {"WARRANT_GRACE_S": "2.5", "WARRANT_GENESIS": GENESIS}
    )

    assert ("::1", 0, Path("/c"), 2.5) == (told.host, told.port, told.cache, told.grace_s)
    assert GENESIS == told.genesis


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WARRANT_MODEL": ""}, "WARRANT_MODEL is not set"),
        ({"WARRANT_STORE": ""}, "WARRANT_STORE is not set"),
        ({"WARRANT_MODEL": "../x"}, "'../x' is no model name"),
        ({"WARRANT_PORT": "http"}, "WARRANT_PORT is 'http'"),
        ({"WARRANT_PORT": "80.5"}, "whole number from 0 to 65535"),
        ({"WARRANT_PORT": "70000"}, "WARRANT_PORT is '70000'"),
        ({"WARRANT_GRACE_S": "nan"}, "WARRANT_GRACE_S is 'nan'"),
        ({"WARRANT_GRACE_S": "-1"}, "WARRANT_GRACE_S is '-1'"),
        ({"WARRANT_GENESIS": "abc"}, "WARRANT_GENESIS is 'abc'"),
    ],
)
def test_a_bad_variable_is_named(change: dict[str, str], message: str) -> None:
    """The message has the variable, its value and what it must be."""
    with pytest.raises(WarrantError) as caught:
        Environment.read(GOOD | change)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "serving: WARRANT_MODEL is not set; a container is told what it serves"),
        (
            {"WARRANT_MODEL": "demand", "WARRANT_STORE": "s3://bucket"},
            "serving: an s3:// store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the"
            " environment",
        ),
    ],
)
def test_a_bad_environment_ends_the_process_with_2(
    environment: dict[str, str], message: str
) -> None:
    """A pod that can never work fails at once, with one line and no traceback."""
    result = subprocess.run(
        [sys.executable, "-m", "serving"],
        env=environment | {"ORT_DISABLE_TELEMETRY": "1"},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (2, "", message) == (result.returncode, result.stdout, result.stderr.strip())
