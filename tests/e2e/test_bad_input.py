"""Bad input: one clear message that names what is at fault, the right exit code, a clean store."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Laptop

Edit = Callable[[str, str], None]


def refused(laptop: Laptop, *words: str) -> str:
    """Run, demand exit 2 and one message without a traceback, and return it."""
    result = laptop.run(*words)
    assert 2 == result.returncode, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert 1 == len([line for line in result.stderr.splitlines() if line.startswith("warrant: ")])
    return result.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("source: demand.csv", "source: nowhere.csv", ["nowhere.csv"]),
        ("target: busy", "target: bussy", ["bussy"]),
        ("time: when", "time: place", ["place"]),
        ("  load: {kind: number}", "  lode: {kind: number}", ["lode"]),
        (
            "  place: {kind: category, categories: [north, south]}",
            "  place: {kind: number}",
            ["place"],
        ),
        ("current: 2024-03-01..2024-06-01", "current: 2030-01-01..2030-02-01", ["2030-01-01"]),
        ("current: 2024-03-01..2024-06-01", "current: 2024-03-01..2024-03-02", ["row"]),
        ("task: classification", "task: clasification", ["warrant.yaml", "2", "clasification"]),
        ("slices: [place]", "slices: [nowhere]", ["nowhere"]),
        ("max_iter: 40", "max_itter: 40", ["max_itter"]),
        ("model: hist_gradient_boosting", "model: boosted_magic", ["boosted_magic"]),
        ("  load: {kind: number}", "  load: {kind: number, range: [40, 60]}", ["load"]),
        ("classes: [0, 1]", "classes: [0, 2]", ["warrant.yaml", "positive"]),
    ],
)
def test_a_wrong_project_is_named(
    laptop: Laptop, edit: Edit, old: str, new: str, words: list[str]
) -> None:
    """The message names the key, column or window that is wrong."""
    edit(old, new)
    message = refused(laptop, "run")

    assert [] == [word for word in words if word not in message]


def test_missing_values_where_none_may_be(laptop: Laptop) -> None:
    """The column and the rows are named."""
    data = laptop.project / "demand.csv"
    lines = data.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("2024-04-01 00:00"))
    fields = lines[place].split(",")
    fields[2] = ""
    lines[place] = ",".join(fields)
    data.write_text("\n".join(lines) + "\n")

    assert "load" in refused(laptop, "run")


def test_a_constant_target(laptop: Laptop) -> None:
    """A target with one value cannot be learnt."""
    data = laptop.project / "demand.csv"
    header, *lines = data.read_text().splitlines()
    data.write_text("\n".join([header, *(line[:-1] + "1" for line in lines)]) + "\n")

    assert "busy" in refused(laptop, "run")


def test_a_broken_project_file_names_the_line(laptop: Laptop) -> None:
    """YAML errors say where."""
    (laptop.project / "warrant.yaml").write_text("model: demand\n  task: [\n")

    assert "warrant.yaml" in refused(laptop, "run")


def test_a_broken_policy_names_the_line(laptop: Laptop) -> None:
    """A policy with a typo decides nothing."""
    (laptop.project / "mine.yaml").write_text(
        "policy: mine\nrows:\n  - name: a\n    verdict: YES\n"
    )
    project = laptop.project / "warrant.yaml"
    project.write_text(project.read_text() + "policy: mine.yaml\n")

    assert "mine.yaml" in refused(laptop, "run")


def test_a_read_only_store_is_named(laptop: Laptop) -> None:
    """A store that cannot be written is refused before anything is trained."""
    if os.geteuid() == 0:
        store = laptop.project / "store"
        store.write_text("a file, not a folder")
    else:
        store = laptop.project / "store"
        store.mkdir(mode=0o500)

    assert "store" in refused(laptop, "run", "--store", "store")


def start(laptop: Laptop) -> "subprocess.Popen[bytes]":
    """Start a run and return while it is at work."""
    return subprocess.Popen(
        [sys.executable, "-m", "modelwarrant", "run"],
        cwd=laptop.project,
        env={**os.environ, "WARRANT_HOME": str(laptop.folder / "home"), "WARRANT_ACTOR": "ada"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_second_run_at_the_same_time_is_told_to_wait(laptop: Laptop) -> None:
    """Exit 75: the model is busy, and who holds it is named."""
    process = start(laptop)
    lock = laptop.project / ".warrant" / "work" / "demand" / "lock"
    deadline = time.monotonic() + 20
    while not (lock.is_file() and lock.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    second = laptop.run("run")
    process.wait(timeout=60)

    assert 75 == second.returncode
    assert str(process.pid) in second.stderr
    assert 10 == process.returncode


@pytest.mark.parametrize(
    "delay_s", [0.3, 1.6, *(pytest.param(s, marks=pytest.mark.slow) for s in (1.0, 2.0, 2.4))]
)
def test_a_killed_run_leaves_a_store_that_verifies(laptop: Laptop, delay_s: float) -> None:
    """After kill -9 at any moment the next run ends as if nothing had happened."""
    process = start(laptop)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    ran = laptop.json("run", expect=10)

    laptop("verify", "demand")
    assert "NEEDS_APPROVAL" == ran["verdict"]
