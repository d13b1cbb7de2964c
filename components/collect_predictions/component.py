"""The typed spec of the stage collect_predictions."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def collect_predictions(
    model: str,
    store: str,
    gate: str,
    metric: str,
    thresholds: dict,
    production: dsl.Input[dsl.Model],
    window: dsl.Output[dsl.Dataset],
    rows: dsl.Output[dsl.Dataset],
    parent: dsl.Output[dsl.Model],
    prediction_log: dsl.Output[dsl.Artifact],
    digest: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Take the newest predictions of the version in production from the log.

    Args:
        model: the model's name.
        store: folder or s3://bucket/prefix of ledger, log and labels.
        gate: namespace of the cluster's gate; empty on a laptop, where the store holds requests.
        metric: of the losses, lower is better.
        thresholds: of the monitor; what is absent has its default.
        production: bundle in production; the ledger must still say so.
        window: features of the newest predictions, oldest first.
        rows: request id, row and time of each.
        parent: bundle of the version that production replaced, or a file that says that it is not
            watched against.
        prediction_log: the situation, the files that were read, and what they hold.
        digest: the window's digest.
    """
    return container("collect_predictions")
