"""The stages' own images, as KFP's local runner starts them, decide as the laptop does."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components, local

from components.decide_promotion import run as decide_promotion
from gate.opening import ensure_ledger
from modelwarrant import policy
from modelwarrant.project import load
from modelwarrant.registry import LaptopHome
from modelwarrant.storage import open_store
from pipelines.local import RunResult, run_plan, warm_up
from pipelines.plan import read_plan
from tests.e2e.conftest import PROJECT, demand

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

IR = Path(__file__).resolve().parents[2] / "pipelines" / "lifecycle.yaml"
NONROOT = 65532
RUN = "20261124t000000-abc123"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the images' user may write: project, store, artifacts, and a cut pipeline."""
    root = tmp_path_factory.mktemp("docker")
    for name in ("project", "store", "artifacts", "work"):
        (root / name).mkdir()
    demand().to_csv(root / "project" / "demand.csv", index=False)
    (root / "project" / "warrant.yaml").write_text(PROJECT)
    (root / "decided.yaml").write_text(yaml.safe_dump(_until_decided()))
    ensure_ledger(
        open_store(str(root / "store")),
        "demand",
        home=LaptopHome(root / "home"),
        policy=policy.default_policy(),
        actor="ada",
        now=datetime.now(UTC),
    )
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return root


def _until_decided() -> dict[str, Any]:
    """Return the compiled pipeline without the stages that meet the gate."""
    ir: dict[str, Any] = next(yaml.safe_load_all(IR.read_text()))
    for task in ("request-promotion", "await-outcome"):
        del ir["root"]["dag"]["tasks"][task]
    return ir


def _parameters(place: Path) -> dict[str, Any]:
    project = load(place / "project" / "warrant.yaml")
    return {
        "model": project.model,
        "source": project.source,
        "base": str(place / "project"),
        "store": str(place / "store"),
        "current": str(project.windows.current),
        "reference": str(project.windows.reference),
        "final": project.windows.final,
        "contract": project.schema().model_dump(mode="json", exclude_none=True),
        "recipe": project.recipe.model_dump(mode="json"),
        "train": str(project.windows.train),
        "metric": project.metric,
        "slices": list(project.slices),
        "policy": policy.default_policy().to_bytes().decode(),
        "run": RUN,
        "requester": "ada",
    }


@pytest.fixture(scope="module")
def on_docker(place: Path) -> Path:
    """Where the images wrote, a folder a task."""
    local.init(
        runner=local.DockerRunner(user=str(NONROOT), network_mode="none"),
        pipeline_root=str(place),
        raise_on_error=True,
    )
    components.load_component_from_file(str(place / "decided.yaml"))(**_parameters(place))
    return next(place.glob("lifecycle-*"))


@pytest.fixture(scope="module")
def on_laptop(place: Path) -> RunResult:
    """The same pipeline with the same parameters, walked here."""
    warm_up()
    return run_plan(
        read_plan(place / "decided.yaml"), _parameters(place), work=place / "work", run=RUN
    )


@pytest.mark.parametrize(
    ("task", "file"),
    [
        ("validate-window", "validation_report"),
        ("detect-drift", "drift_report"),
        ("train-model", "candidate/model.onnx"),
        ("evaluate-model", "evaluation_report"),
    ],
)
def test_the_images_measure_what_the_laptop_measures(
    on_docker: Path, on_laptop: RunResult, task: str, file: str
) -> None:
    """The same parameters give the same bytes of model and reports."""
    here = on_laptop.tasks[task].folder / file

    assert here.read_bytes() == (on_docker / task / file).read_bytes()


def test_the_same_evidence_gives_the_same_decision_bytes(on_docker: Path, tmp_path: Path) -> None:
    """Deciding here on what the images measured gives their decision, byte for byte."""
    plan = read_plan(IR)
    task = next(task for task in plan.tasks if task.name == "decide-promotion")
    given = {
        "inputs": {
            "parameterValues": {"policy": policy.default_policy().to_bytes().decode()},
            "artifacts": {
                name: {"artifacts": [{"uri": str(on_docker / source.task / source.output)}]}
                for name, source in task.artifacts.items()
            },
        },
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"uri": str(tmp_path / name)}]}
                for name in task.output_artifacts
            },
            "parameters": {
                name: {"outputFile": str(tmp_path / f"{name}.txt")}
                for name in task.output_parameters
            },
        },
    }

    assert 0 == decide_promotion.main(["--executor-input", json.dumps(given)])
    expected = (tmp_path / "decision").read_bytes()
    assert expected == (on_docker / "decide-promotion" / "decision").read_bytes()


def test_only_what_is_installed_tells_the_two_decisions_apart(
    on_docker: Path, on_laptop: RunResult
) -> None:
    """The manifest names the installed libraries, of which an image has fewer; all else agrees."""
    here, there = (
        json.loads(path.read_bytes())
        for path in (
            on_laptop.tasks["decide-promotion"].artifact("decision"),
            on_docker / "decide-promotion" / "decision",
        )
    )
    for decision in (here, there):
        del decision["evidence_digest"], decision["evidence"]["manifest"]

    assert "NEEDS_APPROVAL" == here["verdict"]
    assert here == there
