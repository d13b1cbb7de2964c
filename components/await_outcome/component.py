"""The typed spec of the stage await_outcome."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def await_outcome(
    store: str,
    request: str,
    gate: str,
    workflow: str,
    outcome: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Return how the request ended; without an outcome end with 75, to be tried again.

    Args:
        store: folder or s3://bucket/prefix.
        request: id of the request.
        gate: namespace of the cluster's gate; empty on a laptop, where the store holds requests.
        workflow: the run's own Argo Workflow; suspended again where there is no outcome.
        outcome: promoted, rejected, held, expired, superseded or cancelled.
    """
    return container("await_outcome")
