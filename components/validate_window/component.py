"""The typed spec of the stage validate_window."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def validate_window(
    window: dsl.Input[dsl.Dataset],
    window_ref: dsl.Input[dsl.Artifact],
    digest: str,
    validated: dsl.Output[dsl.Dataset],
    validation_report: dsl.Output[dsl.Artifact],
) -> dsl.ContainerSpec:
    """Hold a window against its contract; a broken one ends the run with the columns named.

    Args:
        window: the rows.
        window_ref: where they came from.
        digest: the window's digest; the rows must have it.
        validated: the same rows.
        validation_report: what a person should know of them.
    """
    return container("validate_window")
