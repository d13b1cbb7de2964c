"""The typed spec of the stage profile_row_group."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def profile_row_group(
    window: dsl.Input[dsl.Dataset],
    edges: dsl.Input[dsl.Artifact],
    group: int,
    digest: str,
    profile: dsl.Output[dsl.Artifact],
) -> dsl.ContainerSpec:
    """Count one part of a large window.

    Args:
        window: all rows; only those of the part are read.
        edges: profile whose edges are counted along.
        group: number of the row group.
        digest: the window's digest.
        profile: counts and exact sums of each column.
    """
    return container("profile_row_group")
