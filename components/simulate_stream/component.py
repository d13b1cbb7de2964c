"""The typed spec of the stage simulate_stream."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def simulate_stream(
    scenario: str,
    seed: int,
    rows: int,
    onset: float,
    stream: dsl.Output[dsl.Dataset],
    truth: dsl.Output[dsl.Artifact],
    digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Draw a stream whose shift is known.

    Args:
        scenario: ``BASE/KIND/SHAPE/SIZE``, for example ``loans/concept/gradual/0.5``.
        seed: of every draw.
        rows: length of the stream.
        onset: share of the stream before the shift.
        stream: the rows, Parquet.
        truth: what changed, where, and by how much.
        digest: the stream's digest; later stages take it as a parameter.
    """
    return container("simulate_stream")
