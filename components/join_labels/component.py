"""The typed spec of the stage join_labels."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def join_labels(
    model: str,
    store: str,
    production: dsl.Input[dsl.Model],
    prediction_log: dsl.Input[dsl.Artifact],
    labelled: dsl.Output[dsl.Dataset],
    labelled_rows: dsl.Output[dsl.Dataset],
    label_counts: dsl.Output[dsl.Artifact],
    n_labels: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Bring labels and the predictions they are about together.

    Args:
        model: the model's name.
        store: folder or s3://bucket/prefix of log and labels.
        production: bundle in production.
        prediction_log: names the files of the log.
        labelled: features and target of labelled predictions, oldest first.
        labelled_rows: request id, row and time of each.
        label_counts: what became of the labels.
        n_labels: labelled predictions of production.
    """
    return container("join_labels")
