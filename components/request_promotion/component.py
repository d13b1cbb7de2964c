"""The typed spec of the stage request_promotion."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def request_promotion(
    model: str,
    store: str,
    run: str,
    requester: str,
    policy: str,
    gate: str,
    workflow: str,
    uid: str,
    decision: dsl.Input[dsl.Artifact],
    candidate: dsl.Input[dsl.Model],
    drift_report: dsl.Input[dsl.Artifact],
    evaluation_report: dsl.Input[dsl.Artifact],
    validation_report: dsl.Input[dsl.Artifact],
    history: dsl.Input[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    request: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Hand candidate and evidence in, and ask the gate.

    Args:
        model: the model's name.
        store: folder or s3://bucket/prefix.
        run: id of the run.
        requester: who asks; may not approve.
        policy: text of the policy the decision was made with.
        gate: namespace of the cluster's gate; empty on a laptop, where the store holds requests.
        workflow: the run's own Argo Workflow, which waits without a pod.
        uid: KFP's id of the run.
        decision: the claimed decision; the gate computes it again.
        candidate: bundle.
        drift_report: evidence.
        evaluation_report: evidence.
        validation_report: evidence.
        history: evidence.
        page: the whole run for a person, with the command that approves it.
        request: id of the request.
    """
    return container("request_promotion")
