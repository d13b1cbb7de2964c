"""Every stage is held to the same law; a new folder under components/ is found, never listed."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from modelwarrant.stage.frame import stage_parser

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path.parent.name for path in (ROOT / "components").glob("*/component.py"))
IR = next(yaml.safe_load_all((ROOT / "pipelines" / "lifecycle.yaml").read_text()))
PIPELINES = sorted((ROOT / "pipelines").glob("*.yaml"))


def test_stages_are_found() -> None:
    """The law below is held over the stages of the design, not over an empty list."""
    assert {"ingest_window", "train_model", "decide_promotion"} <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_the_spec_compiles_and_its_arguments_parse(stage: str) -> None:
    """The command names the stage, and the entry point's own parser accepts the arguments."""
    module = importlib.import_module(f"components.{stage}.component")
    spec = getattr(module, stage).component_spec.implementation.container

    assert ["python", "-m", f"components.{stage}.run"] == spec.command
    assert f"modelwarrant/{stage.replace('_', '-')}:dev" == spec.image
    stage_parser(stage).parse_args([str(argument) for argument in spec.args])


@pytest.mark.parametrize("stage", STAGES)
def test_the_spec_is_documented(stage: str) -> None:
    """The spec's docstring is what the Kubeflow UI shows: each input and output is described."""
    tree = ast.parse((ROOT / "components" / stage / "component.py").read_text())
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    documented = set(re.findall(r"^\s+(\w+): ", ast.get_docstring(function) or "", re.MULTILINE))

    assert {argument.arg for argument in function.args.args} <= documented


@pytest.mark.parametrize("stage", STAGES)
def test_the_entry_point_reads_and_writes_what_the_spec_declares(stage: str) -> None:
    """Names in run.py are the declared ones, and every declared output is named there."""
    module = importlib.import_module(f"components.{stage}.component")
    interface = getattr(module, stage).component_spec
    tree = ast.parse((ROOT / "components" / stage / "run.py").read_text())
    used: dict[str, set[str]] = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        first = call.args[0] if call.args else None
        if isinstance(call.func, ast.Attribute) and isinstance(first, ast.Constant):
            used.setdefault(call.func.attr, set()).add(str(first.value))
    read = used.get("parameter", set()) | used.get("path", set())
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}

    assert read <= set(interface.inputs or {}) | set(interface.outputs or {})
    assert set(interface.outputs or {}) <= named


@pytest.mark.parametrize("stage", STAGES)
def test_the_spec_imports_kfp_and_nothing_heavy(stage: str) -> None:
    """Compiling a pipeline needs no numpy, and run.py never imports kfp."""
    spec = _imports(ROOT / "components" / stage / "component.py")
    run = _imports(ROOT / "components" / stage / "run.py")

    assert spec <= {"kfp", "components"}
    assert "kfp" not in run
    assert not {name for name in run if name.startswith("components")}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_imports_with_its_own_dependencies_alone(stage: str) -> None:
    """Nothing outside the closure of the stage's pyproject in the lock is imported by run.py."""
    owners = metadata.packages_distributions()
    # modelwarrant's source lies beside a stage's libraries in its image
    allowed = _closure(stage) | {"modelwarrant"}
    foreign = sorted(
        module
        for module, names in owners.items()
        if not any(_canonical(name) in allowed for name in names)
    )
    script = (
        "import sys\n"
        f"foreign = set({foreign!r})\n"
        "class Wall:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in foreign:\n"
        "            raise ModuleNotFoundError(f'{name} is not in the image', name=name)\n"
        "sys.meta_path.insert(0, Wall())\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        f"import components.{stage}.run\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "kfp" in foreign
    assert 0 == result.returncode, result.stderr


def _closure(stage: str) -> set[str]:
    """Return every distribution that the lock installs for this stage."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = {_canonical(package["name"]): package for package in lock["package"]}
    project = tomllib.loads((ROOT / "components" / stage / "pyproject.toml").read_text())
    todo = [_canonical(Requirement(text).name) for text in project["project"]["dependencies"]]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [_canonical(d["name"]) for d in packages[name].get("dependencies", ())]
    return seen


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("stage", STAGES)
def test_a_broken_executor_input_is_one_error_and_exit_2(stage: str) -> None:
    """A stage that is called wrongly says so in one JSON line, without a traceback."""
    result = subprocess.run(
        [sys.executable, "-m", f"components.{stage}.run", "--executor-input", "{}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    line = json.loads(result.stderr.strip().splitlines()[-1])

    assert 2 == result.returncode
    assert "stage_failed" == line["event"]
    assert stage in line["error"]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: path.stem)
def test_no_two_stages_share_a_container(pipeline: Path) -> None:
    """KFP keys component specs by their container: each differs from every other."""
    ir = next(yaml.safe_load_all(pipeline.read_text()))
    containers = {
        json.dumps(executor["container"], sort_keys=True): name
        for name, executor in ir["deploymentSpec"]["executors"].items()
    }
    stages = {json.loads(text)["command"][-1] for text in containers}

    assert len(containers) == len(stages)


def test_the_cache_is_off_where_the_world_is_read() -> None:
    """KFP must not answer from its cache where the result depends on data, ledger or people."""
    uncached = {
        name
        for name, task in IR["root"]["dag"]["tasks"].items()
        if not task.get("cachingOptions", {}).get("enableCache")
    }

    assert {"ingest-window", "fetch-production", "request-promotion", "await-outcome"} <= uncached


def _tasks(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tasks of every graph in a compiled pipeline."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "tasks":
                yield from inner.items()
            yield from _tasks(inner)


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: path.stem)
def test_no_task_takes_one_artifact_under_two_names(pipeline: Path) -> None:
    """Kubeflow's metadata store keeps one event of an artifact and a task, and refuses the task."""
    tasks = list(_tasks(next(yaml.safe_load_all(pipeline.read_text()))))
    doubled = {}
    for name, task in tasks:
        given = [json.dumps(v) for v in task.get("inputs", {}).get("artifacts", {}).values()]
        if len(given) != len(set(given)):
            doubled[name] = given

    assert tasks
    assert {} == doubled
