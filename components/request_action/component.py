"""The typed spec of the stage request_action."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def request_action(
    model: str,
    store: str,
    gate: str,
    action: dsl.Input[dsl.Artifact],
    drift_report: dsl.Input[dsl.Artifact],
    sample: dsl.Input[dsl.Artifact],
    life: dsl.Output[dsl.HTML],
    request: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Hand the evidence in, ask the cluster's gate to record the action, draw the model's life.

    Args:
        model: the model's name.
        store: folder or s3://bucket/prefix.
        gate: namespace of the cluster's gate; empty on a laptop, where the command records it.
        action: the record.
        drift_report: evidence.
        sample: evidence, where rows are to be labelled.
        life: page of the model's life, with this pass.
        request: name of the request, and of the place below in/.
    """
    return container("request_action")
