"""How is every stage's container called?

One image a stage, no entry point, and a command that names the stage: KFP keys component specs by
their container, so two stages with the same image, command and arguments would collide.
"""

from kfp import dsl

__all__ = ["container"]


def container(stage: str) -> dsl.ContainerSpec:
    """Return the container of a stage.

    Args:
        stage: the folder's name, for example ``detect_drift``.
    """
    return dsl.ContainerSpec(
        image=f"modelwarrant/{stage.replace('_', '-')}:dev",
        command=["python", "-m", f"components.{stage}.run"],
        args=["--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
    )
