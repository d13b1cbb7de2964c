"""A model is parsed by another process first, under limits."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelwarrant.errors import BundleError, StoreUnavailableError
from serving.trial import Trial, room_bytes
from tests.serving.bombs import endless, memory_bomb, with_external_data
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model, regression


def test_right_model_passes() -> None:
    """With a process that was prepared, and again with a new one."""
    trial = Trial()
    trial.prepare()

    for _ in range(2):
        trial.check(air_time_model()[1], name="model.onnx")


@pytest.mark.parametrize("model", [b"", b"no model", b"\x08\x09" * 1000])
def test_bytes_that_are_no_model_are_refused(model: bytes) -> None:
    """The verdict names the file."""
    with pytest.raises(BundleError, match=r"m\.onnx: refused in a trial"):
        Trial().check(model, name="m.onnx")


def test_model_that_asks_for_a_terabyte_is_refused() -> None:
    """The process that tried it had 2 GiB."""
    with pytest.raises(BundleError, match="more memory than the limit"):
        Trial().check(memory_bomb(), name="m.onnx")


@pytest.mark.parametrize(
    ("limit", "used", "room"),
    [("max", "1000", None), ("1000", "200", 200 * 2**20 + 640), ("1000", "2000", 200 * 2**20)],
)
def test_trial_takes_no_more_than_the_container_has(
    tmp_path: Path, limit: str, used: str, room: int | None
) -> None:
    """Kubernetes ends a whole container that runs out of memory, service included."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")

    assert room == room_bytes(tmp_path)


def test_machine_without_control_groups_has_no_bound(tmp_path: Path) -> None:
    """A laptop."""
    assert room_bytes(tmp_path) is None


def test_model_that_never_ends_is_refused() -> None:
    """The process that tried it had a second."""
    with pytest.raises(BundleError, match="1 s of processor time"):
        Trial(cpu_s=1).check(endless(), name="m.onnx")


def test_machine_that_is_too_busy_is_tried_again_later() -> None:
    """A trial without a verdict says nothing about the model."""
    with pytest.raises(StoreUnavailableError, match=r"did not end within 0\.01 s"):
        Trial(wall_s=0.01).check(endless(), name="m.onnx")


def test_process_that_somebody_killed_says_nothing_about_the_model() -> None:
    """Whether it waited for its model or had it: another one tries, and a right model passes."""
    trial = Trial()
    trial.prepare()
    waiting = trial._prepared
    assert waiting is not None
    waiting.kill()
    waiting.wait()

    trial.check(air_time_model()[1], name="model.onnx")


def test_model_whose_every_trial_is_killed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it uses all memory of the machine."""
    killed = []

    def start(trial: Trial) -> Any:
        program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        killed.append(trial)
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe)

    monkeypatch.setattr(Trial, "_start", start)

    with pytest.raises(BundleError, match="each process that read it was killed"):
        Trial().check(air_time_model()[1], name="m.onnx")
    assert 2 == len(killed)


def test_process_that_was_never_needed_is_ended() -> None:
    """A service that stops leaves nothing behind."""
    trial = Trial()
    trial.prepare()

    trial.close()

    trial.check(air_time_model()[1], name="model.onnx")


@pytest.mark.parametrize("kind", ["memory", "external"])
def test_bomb_in_production_is_never_served(tmp_path: Path, kind: str) -> None:
    """The old model keeps answering, the reason stands in the status, and is found once."""
    place = Place(tmp_path / "store")
    first = place.promote(air_time_model())
    follower = place.follower(trial=Trial())
    follower.look()
    elsewhere = tmp_path / "weights.bin"
    elsewhere.write_bytes(b"\0" * 48)
    bomb = memory_bomb() if kind == "memory" else with_external_data(str(elsewhere))
    place.promote((regression(), bomb))

    for _ in range(2):
        follower.look()

    assert follower.served is not None
    assert first == follower.served.version
    assert "model.onnx" in (follower.status().fault or "")
    rows = follower.served.reader.read(ROW, max_rows=1, problems_shown=1)
    assert 62.5 == follower.served.scores(rows)[0, 0]
