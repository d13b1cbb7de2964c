"""The frame gives a stage its inputs, and puts its outputs in place only where it succeeded."""

import json
import logging
from pathlib import Path

import pytest

from modelwarrant.errors import DataError, StoreUnavailableError
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.frame import JsonLines, local_path


def executor_input(folder: Path, **parameters: object) -> str:
    """Return what KFP gives a stage with one input, one artifact out and one parameter out."""
    (folder / "in.txt").write_text("input")
    return json.dumps(
        {
            "inputs": {
                "parameterValues": parameters,
                "artifacts": {"given": {"artifacts": [{"uri": str(folder / "in.txt")}]}},
            },
            "outputs": {
                "parameters": {"said": {"outputFile": str(folder / "parameters" / "said")}},
                "artifacts": {
                    "made": {
                        "artifacts": [
                            {
                                "name": "made",
                                "uri": str(folder / "made"),
                                "type": {"schemaTitle": "system.Metrics"},
                                "metadata": {},
                            }
                        ]
                    }
                },
                "outputFile": str(folder / "executor_output.json"),
            },
        }
    )


def run(folder: Path, body: object, **parameters: object) -> int:
    """Run a body as the stage ``toy``."""
    return run_stage("toy", body, ["--executor-input", executor_input(folder, **parameters)])  # type: ignore[arg-type]


def test_outputs_are_in_place_after_success(tmp_path: Path) -> None:
    """Artifact, parameter file and executor output are written, in KFP's format."""

    def body(task: Task) -> None:
        task.output("made").write_text(task.path("given").read_text() + "!")
        task.set("said", "yes")
        task.annotate("made", accuracy=0.5)

    assert 0 == run(tmp_path, body)
    assert "input!" == (tmp_path / "made").read_text()
    assert "yes" == (tmp_path / "parameters" / "said").read_text()
    output = json.loads((tmp_path / "executor_output.json").read_text())
    assert {"said": "yes"} == output["parameterValues"]
    assert {"accuracy": 0.5} == output["artifacts"]["made"]["artifacts"][0]["metadata"]


def test_a_folder_replaces_the_folder_of_an_earlier_try(tmp_path: Path) -> None:
    """A retried stage does not mix its files with those of the try before."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").touch()

    def body(task: Task) -> None:
        task.output("made").mkdir()
        (task.output("made") / "new").touch()

    assert 0 == run(tmp_path, body)
    assert ["new"] == [path.name for path in (tmp_path / "made").iterdir()]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("column 'a' is text"), 2),
        (StoreUnavailableError("the disk is full"), 75),
        (FileNotFoundError(2, "no such file"), 2),
        (OSError(28, "No space left on device"), 75),
        (ZeroDivisionError("a fault of ours"), 70),
    ],
)
def test_errors_become_exit_codes_and_leave_nothing(
    tmp_path: Path, error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of error has its code, one JSON line, and no half output."""

    def body(task: Task) -> None:
        task.output("made").write_text("half")
        raise error

    assert code == run(tmp_path, body)
    assert ["in.txt"] == [path.name for path in tmp_path.iterdir()]
    assert str(error) == json.loads(capsys.readouterr().err.splitlines()[-1])["error"]


def test_an_undeclared_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stage that reads what it never declared ends with 2 and the name."""
    assert 2 == run(tmp_path, lambda task: task.parameter("nowhere"))
    assert "nowhere" in capsys.readouterr().err


def test_a_list_of_artifacts_is_read_in_its_order(tmp_path: Path) -> None:
    """What a fan-out wrote comes as one list; an empty list is a list, and no artifact."""
    document = json.loads(executor_input(tmp_path))
    document["inputs"]["artifacts"] = {
        "many": {"artifacts": [{"uri": "minio://b/1"}, {"uri": "minio://b/0"}]},
        "none": {"artifacts": []},
    }
    seen = []

    def body(task: Task) -> None:
        seen.append((task.paths("many"), task.paths("none")))
        task.path("none")

    assert 2 == run_stage("toy", body, ["--executor-input", json.dumps(document)])
    assert [((Path("/minio/b/1"), Path("/minio/b/0")), ())] == seen


def test_whole_numbers_are_integers_at_any_depth(tmp_path: Path) -> None:
    """KFP sends 7 as 7.0 in structs and lists; a stage reads 7."""
    seen = {}

    def body(task: Task) -> None:
        seen["recipe"] = task.parameter("recipe")

    run(tmp_path, body, recipe={"seed": 7.0, "rates": [0.5, 2.0]})

    assert "{'seed': 7, 'rates': [0.5, 2]}" == str(seen["recipe"])


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("minio://bucket/a", "/minio/bucket/a"),
        ("s3://bucket/a", "/s3/bucket/a"),
        ("gs://bucket/a", "/gcs/bucket/a"),
        ("file:///work/a", "/work/a"),
        ("/work/a", "/work/a"),
    ],
)
def test_uris_become_the_launchers_paths(uri: str, path: str) -> None:
    """An artifact is read where KFP's launcher, or the laptop runner, puts it."""
    assert Path(path) == local_path(uri)


def test_a_log_line_is_one_json_object() -> None:
    """Event and fields stand in one line that a log collector can read."""
    record = logging.LogRecord("modelwarrant.stage.toy", 20, "f", 1, "stage_done", None, None)
    record.fields = {"rows": 3}
    line = json.loads(JsonLines().format(record))

    assert ("toy", "stage_done", 3) == (line["stage"], line["event"], line["rows"])
