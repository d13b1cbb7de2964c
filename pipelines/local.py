"""How does a compiled pipeline run on a laptop?

The same IR and the same ``run.main`` as on the cluster: each task is a call in a child forked from
a process that has done the slow imports. Tasks that depend on nothing unfinished run side by side.
A finished task is kept under a digest of its code, parameters and inputs, so a second run goes on
where the first one stopped. docs/adr/0007 says why this walker and not KFP's.
"""

import ctypes
import functools
import importlib
import importlib.abc
import json
import multiprocessing
import os
import platform
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from modelwarrant.canonical import digest_bytes, digest_json
from modelwarrant.errors import PermanentError, TemporaryError, WarrantError
from modelwarrant.stage.exits import EXIT_PERMANENT, EXIT_TEMPORARY
from pipelines.plan import PipelineInput, Plan, PlannedTask, TaskOutput

__all__ = ["FinishedTask", "RunResult", "StageBrokeError", "run_plan", "warm_up"]

_IDENTITY = frozenset({"run", "requester"})
"""Parameters that say who asked and when: they do not change what a stage computes."""

_WARM = ("sklearn.ensemble", "onnx", "onnxruntime", "pyarrow.parquet", "pyarrow.csv", "jinja2")
"""Slow imports, done once in the parent. None of them starts an OpenMP region."""

_ROOT = Path(__file__).resolve().parent.parent


class StageBrokeError(WarrantError):
    """A stage ended by a fault of ours or was killed; the message names its log."""


@dataclass(frozen=True)
class FinishedTask:
    """A task that is done, and where its outputs lie."""

    name: str
    folder: Path
    parameters: Mapping[str, Any]
    digests: Mapping[str, str]
    """Digest of each output artifact's bytes."""
    seconds: float
    was_reused: bool

    def artifact(self, name: str) -> Path:
        """Return the path of an output artifact."""
        return self.folder / name


@dataclass(frozen=True)
class RunResult:
    """A walked pipeline."""

    tasks: Mapping[str, FinishedTask]
    waiting: str | None
    """The task that waits for a person; None where every task is done."""
    peak_memory_bytes: int
    """Largest resident set of this process and of any child."""


@dataclass
class _Walk:
    plan: Plan
    parameters: Mapping[str, Any]
    work: Path
    run: str
    salt: str
    done: dict[str, FinishedTask] = field(default_factory=dict)
    running: dict[str, tuple[BaseProcess, Path, str, float]] = field(default_factory=dict)
    waiting: str | None = None


class _Hidden(importlib.abc.MetaPathFinder):
    """Makes packages look as if they were not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse a hidden package; leave every other name to the finders behind."""
        if name.split(".")[0] in self._names:
            raise ModuleNotFoundError(f"{name} is hidden from the stages", name=name)


def warm_up(modules: Sequence[str] = _WARM, *, hidden: Sequence[str] = ("pandas",)) -> None:
    """Import what the stages need, before anything is forked.

    Args:
        modules: the slow imports.
        hidden: packages that no stage's image has. scikit-learn and pyarrow import pandas wherever
            they find it, which costs a run 0.15 s for nothing.
    """
    if hidden:
        sys.meta_path.insert(0, _Hidden(hidden))
    for name in modules:
        importlib.import_module(name)


def run_plan(
    plan: Plan,
    parameters: Mapping[str, Any],
    *,
    work: Path,
    run: str,
    salt: str = "",
    parallel: int = 3,
    on_start: Callable[[str], None] = lambda name: None,
    on_finish: Callable[[FinishedTask], None] = lambda task: None,
    while_waiting: Callable[[str], bool] = lambda request: False,
) -> RunResult:
    """Walk a pipeline.

    Args:
        plan: the compiled pipeline.
        parameters: the pipeline's parameters.
        work: folder for stage outputs; finished stages in it are used again.
        run: id of this run.
        salt: what else changes the stages' results, for example a digest of the user's own code.
        parallel: most tasks at a time, at least 1; one more than the cores of a small laptop, since
            small stages wait for the disk.
        on_start: called with a task's name when it starts.
        on_finish: called with each finished task.
        while_waiting: called with the task that ended with 75 and waits for somebody; returns
            whether to try it again at once.

    Raises:
        PermanentError: a stage refused its input; nothing of it is left.
        TemporaryError: a stage may succeed later.
        StageBrokeError: a stage died or met a fault of ours.
    """
    walk = _Walk(plan, plan.bind(parameters), work, run, salt)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    try:
        while len(walk.done) < len(plan.tasks) and walk.waiting is None:
            _start_ready(walk, context, parallel, on_start, on_finish)
            if walk.running:
                _collect(walk, on_finish, while_waiting)
    finally:
        _stop(walk)
    return RunResult(walk.done, walk.waiting, _peak_memory())


def _start_ready(
    walk: _Walk,
    context: BaseContext,
    parallel: int,
    on_start: Callable[[str], None],
    on_finish: Callable[[FinishedTask], None],
) -> None:
    progressed = True
    while progressed:
        progressed = False
        for task in walk.plan.tasks:
            ready = task.name not in walk.done and task.name not in walk.running
            if not ready or not task.after <= walk.done.keys() or len(walk.running) >= parallel:
                continue
            parameters, inputs = _inputs(walk, task)
            folder = walk.work / "stages" / f"{task.name}-{_key(walk, task, parameters, inputs)}"
            finished = _finished(task, folder)
            if finished is None:
                on_start(task.name)
                _start(
                    walk, context, task, folder, _executor_input(task, parameters, inputs, folder)
                )
            else:
                walk.done[task.name] = finished
                on_finish(finished)
                progressed = True


def _inputs(walk: _Walk, task: PlannedTask) -> tuple[dict[str, Any], dict[str, Path]]:
    parameters: dict[str, Any] = {}
    for name, given in task.parameters.items():
        if isinstance(given, PipelineInput):
            parameters[name] = walk.parameters[given.name]
        elif isinstance(given, TaskOutput):
            parameters[name] = walk.done[given.task].parameters[given.output]
        else:
            parameters[name] = given
    artifacts = {
        name: walk.done[given.task].artifact(given.output) for name, given in task.artifacts.items()
    }
    return parameters, artifacts


def _key(
    walk: _Walk, task: PlannedTask, parameters: Mapping[str, Any], inputs: Mapping[str, Path]
) -> str:
    """Name the task's outputs: equal only where they must be equal."""
    owner = "" if task.is_cached else walk.run
    document: dict[str, Any] = {
        "task": task.name,
        "code": _code_digest(),
        "salt": walk.salt,
        "owner": owner,
        "parameters": {k: v for k, v in parameters.items() if k not in _IDENTITY},
        "inputs": {
            name: walk.done[task.artifacts[name].task].digests[task.artifacts[name].output]
            for name in inputs
        },
    }
    return digest_json(document).removeprefix("sha256:")[:16]


@functools.cache
def _code_digest() -> str:
    """Digest of our source and of the interpreter: other code must not find these results."""
    files = [
        path
        for room in ("modelwarrant", "components")
        for path in sorted((_ROOT / room).rglob("*"))
        if path.suffix in (".py", ".yaml", ".html", ".css", ".jinja", ".svg")
    ]
    sources = {str(path.relative_to(_ROOT)): digest_bytes(path.read_bytes()) for path in files}
    return digest_json({"sources": sources, "python": platform.python_version()})


def _executor_input(
    task: PlannedTask, parameters: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path
) -> str:
    """Return KFP's executor input for a task whose outputs go into the folder."""
    return json.dumps(
        {
            "inputs": {
                "parameterValues": parameters,
                "artifacts": {
                    name: {"artifacts": [{"name": name, "uri": str(path), "metadata": {}}]}
                    for name, path in inputs.items()
                },
            },
            "outputs": {
                "parameters": {
                    name: {"outputFile": str(folder / "parameters" / name)}
                    for name in task.output_parameters
                },
                "artifacts": {
                    name: {
                        "artifacts": [
                            {
                                "name": name,
                                "type": {"schemaTitle": title},
                                "uri": str(folder / name),
                                "metadata": {},
                            }
                        ]
                    }
                    for name, title in task.output_artifacts.items()
                },
                "outputFile": str(folder / "executor_output.json"),
            },
        }
    )


def _start(
    walk: _Walk, context: BaseContext, task: PlannedTask, folder: Path, executor_input: str
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    arguments = [a.replace("{{$}}", executor_input) for a in task.arguments]
    process = context.Process(  # type: ignore[attr-defined]  # every concrete context has it
        target=_call_stage, args=(task.module, arguments, str(folder / "log.jsonl")), daemon=True
    )
    with _ctrl_c_later():
        process.start()
        walk.running[task.name] = (process, folder, executor_input, time.monotonic())


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Hold Ctrl-C back for the block.

    Python drops what is raised in a fork's hooks, which run in the parent, too, and where an ended
    process is finalized: Ctrl-C at that moment would be lost. A mask of this thread would not do:
    the kernel hands the signal to any thread of a library, and Python takes it up in this one.
    Outside the main thread it never does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGINT)


def _call_stage(module: str, arguments: list[str], log: str) -> None:
    """Run in the child: send what the stage prints to its log, call it, end with its code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1)
    code = importlib.import_module(module).main(arguments)
    sys.stderr.flush()
    os._exit(code)  # not sys.exit: a fork must not run the parent's exit handlers


def _die_with_parent() -> None:
    """Ask Linux to kill this child when its parent is killed: no orphan holds locks or writes."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _collect(
    walk: _Walk,
    on_finish: Callable[[FinishedTask], None],
    while_waiting: Callable[[str], bool],
) -> None:
    """Wait for the next task to end, and take its outputs or raise its error."""
    sentinels = {entry[0].sentinel: name for name, entry in walk.running.items()}
    ended = wait(list(sentinels))
    names = [sentinels[each] for each in ended]  # type: ignore[index]  # what was waited for
    with _ctrl_c_later():
        waiting = [name for name in names if _take(walk, name, on_finish)]
    for name in waiting:
        if not while_waiting(name):
            walk.waiting = name


def _take(walk: _Walk, name: str, on_finish: Callable[[FinishedTask], None]) -> bool:
    """Take an ended task's outputs or raise its error; return whether it waits for somebody."""
    process, folder, _, started = walk.running.pop(name)
    process.join()
    task = next(task for task in walk.plan.tasks if task.name == name)
    code = process.exitcode
    if code == EXIT_TEMPORARY and "await" in name:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    if code:
        raise _failure(name, folder, code)
    walk.done[name] = _finish(task, folder, time.monotonic() - started)
    on_finish(walk.done[name])
    return False


def _finish(task: PlannedTask, folder: Path, seconds: float) -> FinishedTask:
    """Digest the outputs, then mark the folder as finished, in that order."""
    document: dict[str, Any] = {
        "digests": {name: _artifact_digest(folder / name) for name in task.output_artifacts},
        "parameters": {
            name: (folder / "parameters" / name).read_text() for name in task.output_parameters
        },
        "seconds": seconds,
    }
    temporary = folder / ".finished"
    temporary.write_text(json.dumps(document))
    temporary.replace(folder / "finished.json")
    return FinishedTask(
        task.name, folder, document["parameters"], document["digests"], seconds, was_reused=False
    )


def _finished(task: PlannedTask, folder: Path) -> FinishedTask | None:
    """Return a task that an earlier run finished, if its outputs still have their digests."""
    mark = folder / "finished.json"
    if not task.is_cached or not mark.is_file():
        return None
    try:
        document = json.loads(mark.read_bytes())
        digests = {name: _artifact_digest(folder / name) for name in task.output_artifacts}
    except (OSError, ValueError):
        return None
    if digests != document["digests"]:
        return None
    os.utime(folder)
    return FinishedTask(
        task.name, folder, document["parameters"], digests, document["seconds"], was_reused=True
    )


def _artifact_digest(path: Path) -> str:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return digest_json({str(p.relative_to(path)): digest_bytes(p.read_bytes()) for p in files})
    return digest_bytes(path.read_bytes())


def _failure(name: str, folder: Path, code: int | None) -> WarrantError:
    """Turn a stage's exit code and the last error of its log into an error; drop its outputs."""
    log = folder / "log.jsonl"
    message, kept = None, folder.with_name(f"failed-{name}.jsonl")
    for line in log.read_text(errors="replace").splitlines() if log.is_file() else []:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") in ("stage_failed", "stage_broke"):
            message = str(event.get("error"))
    if log.is_file():
        log.replace(kept)
    shutil.rmtree(folder, ignore_errors=True)
    if code == EXIT_PERMANENT and message:
        return PermanentError(message)
    if code == EXIT_TEMPORARY and message:
        return TemporaryError(message)
    how = f"was killed by signal {-code}" if code is not None and code < 0 else "broke"
    return StageBrokeError(f"stage {name} {how}{f': {message}' if message else ''}; see {kept}")


def _stop(walk: _Walk) -> None:
    """End what still runs, and remove its half outputs."""
    for process, folder, _, _ in walk.running.values():
        process.terminate()
        process.join()
        shutil.rmtree(folder, ignore_errors=True)
    walk.running.clear()


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in usage) * unit
