"""The typed spec of the stage merge_profiles."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def merge_profiles(
    profiles: dsl.Input[list[dsl.Artifact]],
    rows: str,
    profile: dsl.Output[dsl.Artifact],
    digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Add the profiles of a window's parts; the sum is the profile of the whole window, exactly.

    Args:
        profiles: one a part, in any order.
        rows: number of rows that the parts must have together.
        profile: of the whole window.
        digest: digest of the profile's bytes.
    """
    return container("merge_profiles")
