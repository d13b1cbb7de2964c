"""``warrant serve`` refuses what cannot be served with one line and exit 2."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.place import Place
from tests.serving.tiny import late_model


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store with the model ``flights`` in production."""
    place = Place(tmp_path / "store")
    place.promote(late_model())
    return place


def run(place: Place, *words: str) -> tuple[int, str]:
    """Return exit code and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "modelwarrant", "serve", *words, "--store", str(place.root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "WARRANT_HOME": str(place.root.parent / "home")},
    )
    return done.returncode, done.stderr


def test_unknown_model_is_named_with_those_that_are_there(place: Place) -> None:
    """A misspelt name does not become a service that is never ready."""
    code, said = run(place, "flight")

    assert 2 == code
    assert "no model 'flight'; it has flights" in said


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_port_that_is_none_is_refused(place: Place, port: str) -> None:
    """Before anything is started."""
    code, said = run(place, "flights", "--port", port)

    assert 2 == code
    assert "--port" in said


def test_taken_port_is_named(place: Place) -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = run(place, "flights", "--port", port)

    assert 2 == code
    assert f"port {port} of 127.0.0.1 cannot be used" in said


def test_model_that_waits_for_a_person_is_not_served_yet(tmp_path: Path) -> None:
    """Exit 75: the same command works once somebody has approved."""
    place = Place(tmp_path / "store")
    version, _ = place.decide(late_model())

    code, said = run(place, "flights")

    assert 75 == code
    assert f"no version of 'flights' is in production; version {version} waits" in said


@pytest.mark.parametrize("verdict", ["HOLD", "REJECT"])
def test_model_that_the_policy_forbids_is_not_served(tmp_path: Path, verdict: str) -> None:
    """The verdict, its rule and its reason are told."""
    place = Place(tmp_path / "store")
    place.decide(late_model(), verdict=verdict)

    code, said = run(place, "flights")

    assert 2 == code
    assert f"last verdict was {verdict}, by its rule 'better'" in said


def test_model_whose_file_is_missing_is_named(place: Place) -> None:
    """A store that lost the bytes has nothing to serve."""
    place.blob(place.production.number).unlink()

    code, said = run(place, "flights")

    assert 2 == code
    assert "model.onnx" in said


def test_store_that_is_none_is_refused(place: Place, tmp_path: Path) -> None:
    """A misspelt folder, and a file in its place."""
    place.root.rename(tmp_path / "elsewhere")
    code, said = run(place, "flights")
    assert (2, True) == (code, "has no model 'flights'; it has none yet" in said)

    place.root.write_text("a file")
    code, said = run(place, "flights")
    assert (2, True) == (code, "is a file; name a folder" in said)
