"""The experiment's IR: what it fans out over, and what its fan-ins take."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
IR = next(yaml.safe_load_all((ROOT / "pipelines" / "experiment.yaml").read_text()))


def tasks() -> dict[str, dict[str, Any]]:
    """Return every task of the pipeline and of its loops, by name."""
    dags = [IR["root"]["dag"]]
    dags += [each["dag"] for each in IR["components"].values() if "dag" in each]
    return {name: task for dag in dags for name, task in dag["tasks"].items()}


def test_it_fans_out_over_scenario_seed_rule_and_row_group() -> None:
    """Each list is a loop of its own."""
    loops = {
        task["parameterIterator"]["items"]["inputParameter"].removeprefix("pipelinechannel--")
        for task in tasks().values()
        if "parameterIterator" in task
    }

    assert {"scenarios", "seeds", "rules", "list-row-groups-groups"} == loops


def test_an_item_has_the_type_that_its_stage_takes() -> None:
    """The backend compares types: a whole number out of a plain list would arrive as text."""
    items = {
        name: given["parameterType"]
        for component in IR["components"].values()
        for name, given in component.get("inputDefinitions", {}).get("parameters", {}).items()
        if name.endswith("-loop-item")
    }

    assert "NUMBER_INTEGER" == items["pipelinechannel--seeds-loop-item"]
    assert "NUMBER_INTEGER" == items["pipelinechannel--list-row-groups-groups-loop-item"]
    assert "STRING" == items["pipelinechannel--rules-loop-item"]


def test_what_fans_in_is_a_list() -> None:
    """Scores and profiles are collected from every branch."""
    for stage, name in (("collect-scores", "scores"), ("merge-profiles", "profiles")):
        inputs = IR["components"][f"comp-{stage}"]["inputDefinitions"]["artifacts"]

        assert inputs[name]["isArtifactList"]


def test_no_cache_answers_for_other_rows() -> None:
    """Every stage that reads rows takes their digest as a parameter."""
    readers = {
        name: task
        for name, task in tasks().items()
        if {"stream", "window"} & set(task.get("inputs", {}).get("artifacts", {}))
    }

    assert {"replay-policy", "list-row-groups", "profile-row-group"} == set(readers)
    for task in readers.values():
        assert "digest" in task["inputs"]["parameters"]
