"""The typed spec of the stage split_window."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def split_window(
    window: dsl.Input[dsl.Dataset],
    window_ref: dsl.Input[dsl.Artifact],
    digest: str,
    train: dsl.Output[dsl.Dataset],
    final: dsl.Output[dsl.Dataset],
    split_ref: dsl.Output[dsl.Artifact],
    final_digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Cut a window into the rows that may train a model and the newest, that may only judge it.

    Args:
        window: validated rows.
        window_ref: where they came from, with the final share.
        digest: the window's digest.
        train: the older rows.
        final: the newest rows; a type of its own that only evaluation accepts.
        split_ref: the window's reference with the digests of both splits.
        final_digest: digest of the final split.
    """
    return container("split_window")
