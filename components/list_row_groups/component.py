"""The typed spec of the stage list_row_groups."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def list_row_groups(
    window: dsl.Input[dsl.Dataset],
    digest: str,
    edges: dsl.Output[dsl.Artifact],
    groups: dsl.OutputPath(list[int]),
    rows: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Say which parts a large window has, and along which edges all of them are counted.

    Args:
        window: the rows.
        digest: the window's digest.
        edges: profile of the first part; its edges hold for every part, so that profiles add.
        groups: numbers of the window's row groups.
        rows: number of rows in all of them.
    """
    return container("list_row_groups")
