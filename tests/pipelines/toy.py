"""A small real pipeline for the runner's tests: stages that write, add, wait, fail or die."""

import textwrap
from pathlib import Path

import yaml

STAGES = {
    "write_number": """
        def body(task):
            task.output("number").write_text(str(task.parameter("value")))
            task.set("parity", "even" if task.parameter("value") % 2 == 0 else "odd")
    """,
    "add": """
        def body(task):
            total = sum(int(task.path(name).read_text()) for name in ("left", "right"))
            task.output("total").write_text(str(total))
    """,
    "refuse": """
        from modelwarrant.errors import DataError
        def body(task):
            task.output("total").write_text("half")
            raise DataError("column 'price' holds text in row 3; correct the data")
    """,
    "die": """
        import os, signal
        def body(task):
            task.output("total").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """,
    "break_down": """
        def body(task):
            raise ZeroDivisionError("a fault of ours")
    """,
    "sleep": """
        import time
        def body(task):
            task.output("started").write_text(str(time.time()))
            time.sleep(task.parameter("seconds"))
            task.set("ended", str(time.time()))
    """,
    "await_file": """
        from pathlib import Path
        from modelwarrant.errors import WaitingError
        def body(task):
            if not Path(task.parameter("file")).exists():
                raise WaitingError("nobody decided yet")
            task.set("outcome", "there")
    """,
}


def install(folder: Path) -> None:
    """Write the stages as modules ``toy_<stage>`` into the folder."""
    for name, body in STAGES.items():
        (folder / f"toy_{name}.py").write_text(
            textwrap.dedent(body) + f"\nfrom modelwarrant.stage import run_stage\n"
            f"def main(argv=None):\n    return run_stage({name!r}, body, argv)\n"
        )


def task(
    stage: str,
    *,
    parameters: dict[str, object] | None = None,
    artifacts: dict[str, tuple[str, str]] | None = None,
    outputs: tuple[str, ...] = (),
    output_parameters: tuple[str, ...] = (),
    is_cached: bool = True,
) -> dict[str, object]:
    """Describe one task: constants, or ``(producer, output)`` for what comes from another task."""
    return {
        "stage": stage,
        "parameters": parameters or {},
        "artifacts": artifacts or {},
        "outputs": outputs,
        "output_parameters": output_parameters,
        "is_cached": is_cached,
    }


def write_ir(
    path: Path, tasks: dict[str, dict[str, object]], *, inputs: tuple[str, ...] = ()
) -> Path:
    """Write the tasks as kfp would have compiled them."""
    ir: dict[str, object] = {
        "pipelineInfo": {"name": "toy"},
        "components": {},
        "deploymentSpec": {"executors": {}},
        "root": {
            "dag": {"tasks": {}},
            "inputDefinitions": {
                "parameters": {name: {"parameterType": "STRING"} for name in inputs}
            },
        },
    }
    for name, given in tasks.items():
        ir["components"][f"comp-{name}"] = {  # type: ignore[index]
            "executorLabel": f"exec-{name}",
            "outputDefinitions": {
                "artifacts": {
                    output: {"artifactType": {"schemaTitle": "system.Artifact"}}
                    for output in given["outputs"]  # type: ignore[attr-defined]
                },
                "parameters": {
                    output: {"parameterType": "STRING"}
                    for output in given["output_parameters"]  # type: ignore[attr-defined]
                },
            },
        }
        ir["deploymentSpec"]["executors"][f"exec-{name}"] = {  # type: ignore[index]
            "container": {
                "command": ["python", "-m", f"toy_{given['stage']}"],
                "args": ["--executor-input", "{{$}}"],
            }
        }
        ir["root"]["dag"]["tasks"][name] = {  # type: ignore[index]
            "componentRef": {"name": f"comp-{name}"},
            "cachingOptions": {"enableCache": True} if given["is_cached"] else {},
            "inputs": {
                "parameters": {
                    key: {"componentInputParameter": value.removeprefix("input:")}
                    if isinstance(value, str) and value.startswith("input:")
                    else {"runtimeValue": {"constant": value}}
                    for key, value in given["parameters"].items()  # type: ignore[attr-defined]
                },
                "artifacts": {
                    key: {"taskOutputArtifact": {"producerTask": p, "outputArtifactKey": o}}
                    for key, (p, o) in given["artifacts"].items()  # type: ignore[attr-defined]
                },
            },
        }
    path.write_text(yaml.safe_dump(ir))
    return path
