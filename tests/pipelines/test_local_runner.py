"""The laptop runner walks a compiled pipeline as the cluster would."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from modelwarrant.errors import PermanentError
from pipelines.local import FinishedTask, RunResult, StageBrokeError, run_plan
from pipelines.plan import read_plan

sys.path.insert(0, str(Path(__file__).parent))
from toy import install, task, write_ir

ADDITION = {
    "two": task(
        "write_number", parameters={"value": 2}, outputs=("number",), output_parameters=("parity",)
    ),
    "three": task(
        "write_number", parameters={"value": 3}, outputs=("number",), output_parameters=("parity",)
    ),
    "sum": task(
        "add",
        artifacts={"left": ("two", "number"), "right": ("three", "number")},
        outputs=("total",),
    ),
}


@pytest.fixture(autouse=True)
def _stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the toy stages importable, in this process and in its children."""
    install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.startswith("toy_")]:
        del sys.modules[name]


def walk(tmp_path: Path, tasks: dict[str, dict[str, object]], **options: object) -> RunResult:
    """Compile and walk the tasks in a work folder of the test's own."""
    inputs = options.pop("inputs", {})
    path = write_ir(tmp_path / "toy.yaml", tasks, inputs=tuple(inputs))  # type: ignore[arg-type]
    options.setdefault("run", "run-1")
    return run_plan(read_plan(path), inputs, work=tmp_path / "work", **options)  # type: ignore[arg-type]


def stage_folders(tmp_path: Path) -> list[str]:
    """Return what lies in the stages' folder."""
    return sorted(path.name for path in (tmp_path / "work" / "stages").glob("*"))


def test_outputs_reach_the_tasks_that_read_them(tmp_path: Path) -> None:
    """Artifacts and parameters travel along the arrows."""
    result = walk(tmp_path, ADDITION)

    assert "5" == result.tasks["sum"].artifact("total").read_text()
    assert {"parity": "odd"} == result.tasks["three"].parameters


def test_pipeline_inputs_reach_the_tasks(tmp_path: Path) -> None:
    """A parameter of the pipeline is given to the task that names it."""
    tasks = {
        "number": task(
            "write_number",
            parameters={"value": "input:n"},
            outputs=("number",),
            output_parameters=("parity",),
        )
    }
    result = walk(tmp_path, tasks, inputs={"n": 8})

    assert "8" == result.tasks["number"].artifact("number").read_text()


def test_whole_numbers_survive_as_integers(tmp_path: Path) -> None:
    """On KFP numbers travel as doubles; a stage gets 4 for 4.0."""
    tasks = {
        "number": task(
            "write_number",
            parameters={"value": 4.0},
            outputs=("number",),
            output_parameters=("parity",),
        )
    }

    assert "4" == walk(tmp_path, tasks).tasks["number"].artifact("number").read_text()


def test_independent_tasks_run_side_by_side(tmp_path: Path) -> None:
    """Two sleeps that do not depend on each other overlap."""
    tasks = {
        name: task(
            "sleep", parameters={"seconds": 0.5}, outputs=("started",), output_parameters=("ended",)
        )
        for name in ("one", "other")
    }
    done = walk(tmp_path, tasks).tasks
    starts = [float(done[name].artifact("started").read_text()) for name in tasks]
    ends = [float(done[name].parameters["ended"]) for name in tasks]

    assert max(starts) < min(ends)


def test_a_second_run_uses_finished_tasks_again(tmp_path: Path) -> None:
    """Nothing is computed twice where code, parameters and inputs are the same."""
    walk(tmp_path, ADDITION)
    finished: list[FinishedTask] = []
    walk(tmp_path, ADDITION, run="run-2", on_finish=finished.append)

    assert {"two": True, "three": True, "sum": True} == {t.name: t.was_reused for t in finished}


def test_a_changed_input_runs_what_depends_on_it(tmp_path: Path) -> None:
    """Only the tasks behind the change run again."""
    walk(tmp_path, ADDITION)
    changed = {
        **ADDITION,
        "three": task(
            "write_number",
            parameters={"value": 30},
            outputs=("number",),
            output_parameters=("parity",),
        ),
    }
    result = walk(tmp_path, changed, run="run-2")

    assert {"two": True, "three": False, "sum": False} == {
        name: done.was_reused for name, done in result.tasks.items()
    }
    assert "32" == result.tasks["sum"].artifact("total").read_text()


def test_altered_outputs_are_not_used_again(tmp_path: Path) -> None:
    """A kept output whose bytes changed is computed again, never believed."""
    first = walk(tmp_path, ADDITION)
    first.tasks["two"].artifact("number").write_text("200")
    result = walk(tmp_path, ADDITION, run="run-2")

    assert "5" == result.tasks["sum"].artifact("total").read_text()


def test_uncached_tasks_run_in_every_run(tmp_path: Path) -> None:
    """A task whose cache is off is never taken from an earlier run."""
    tasks = {
        "n": task(
            "write_number",
            parameters={"value": 1},
            outputs=("number",),
            output_parameters=("parity",),
            is_cached=False,
        )
    }
    walk(tmp_path, tasks)

    assert not walk(tmp_path, tasks, run="run-2").tasks["n"].was_reused


def test_a_refusal_is_raised_with_its_message_and_leaves_nothing(tmp_path: Path) -> None:
    """The stage's own sentence reaches the caller; its half output is gone."""
    with pytest.raises(PermanentError, match=r"column 'price' holds text in row 3"):
        walk(tmp_path, {"bad": task("refuse", outputs=("total",))})

    assert ["failed-bad.jsonl"] == stage_folders(tmp_path)


@pytest.mark.parametrize(
    ("stage", "words"), [("die", "signal 9"), ("break_down", "a fault of ours")]
)
def test_a_broken_stage_names_its_log(tmp_path: Path, stage: str, words: str) -> None:
    """A killed or broken stage is told apart from a refusal, and leaves only its log."""
    with pytest.raises(StageBrokeError, match=words) as caught:
        walk(tmp_path, {"bad": task(stage, outputs=("total",))})

    assert "failed-bad.jsonl" in str(caught.value)
    assert ["failed-bad.jsonl"] == stage_folders(tmp_path)


def test_after_a_failure_the_next_run_goes_on(tmp_path: Path) -> None:
    """Tasks that had finished before another one failed are not repeated."""
    broken = {
        **ADDITION,
        "sum": task(
            "refuse",
            artifacts={"left": ("two", "number"), "right": ("three", "number")},
            outputs=("total",),
        ),
    }
    with pytest.raises(PermanentError):
        walk(tmp_path, broken)
    result = walk(tmp_path, ADDITION, run="run-2")

    assert [True, True, False] == [result.tasks[name].was_reused for name in ADDITION]


def test_a_task_that_waits_ends_the_walk_as_waiting(tmp_path: Path) -> None:
    """Exit 75 of an awaiting task is no failure: the run says what it waits for."""
    tasks = {
        "await-it": task(
            "await_file",
            parameters={"file": str(tmp_path / "answer")},
            output_parameters=("outcome",),
            is_cached=False,
        )
    }

    assert "await-it" == walk(tmp_path, tasks).waiting


def test_a_wait_that_is_answered_goes_on(tmp_path: Path) -> None:
    """Where somebody answers at once, the awaiting task is tried again in the same run."""
    answer = tmp_path / "answer"
    tasks = {
        "await-it": task(
            "await_file",
            parameters={"file": str(answer)},
            output_parameters=("outcome",),
            is_cached=False,
        )
    }

    def decide(name: str) -> bool:
        answer.touch()
        return True

    result = walk(tmp_path, tasks, while_waiting=decide)

    assert result.waiting is None
    assert {"outcome": "there"} == result.tasks["await-it"].parameters


def test_parameters_are_checked_before_anything_runs(tmp_path: Path) -> None:
    """A missing or unknown pipeline parameter is named."""
    path = write_ir(tmp_path / "toy.yaml", ADDITION, inputs=("model",))
    with pytest.raises(PermanentError, match=r"missing parameters \['model'\]"):
        run_plan(read_plan(path), {}, work=tmp_path, run="r")


def test_a_shape_that_cannot_be_walked_is_refused_by_name(tmp_path: Path) -> None:
    """A loop in the graph is an error, never silently left out."""
    path = write_ir(tmp_path / "toy.yaml", ADDITION)
    ir = yaml.safe_load(path.read_text())
    ir["root"]["dag"]["tasks"]["two"]["parameterIterator"] = {"items": {}}
    path.write_text(yaml.safe_dump(ir))

    with pytest.raises(PermanentError, match=r"task two: .* parameterIterator"):
        read_plan(path)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_half_output(tmp_path: Path, signal_number: int) -> None:
    """Ctrl-C or kill -9 in the middle of a stage: the next run computes it, and ends well."""
    tasks = {
        **ADDITION,
        "nap": task(
            "sleep", parameters={"seconds": 2}, outputs=("started",), output_parameters=("ended",)
        ),
    }
    write_ir(tmp_path / "toy.yaml", tasks)
    script = textwrap.dedent(f"""
        import signal
        from pathlib import Path
        from pipelines.local import run_plan
        from pipelines.plan import read_plan
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" ignores it
        folder = Path({str(tmp_path)!r})
        run_plan(read_plan(folder / "toy.yaml"), {{}}, work=folder / "work", run="run-1")
    """)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while (
        not list((tmp_path / "work").glob("stages/nap-*/.started*")) and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    process.send_signal(signal_number)
    process.wait(timeout=20)
    result = walk(tmp_path, tasks, run="run-2")

    assert not result.tasks["nap"].was_reused
    assert "5" == result.tasks["sum"].artifact("total").read_text()
    assert not [
        path for path in (tmp_path / "work" / "stages").rglob(".*") if path.name != ".finished"
    ]
