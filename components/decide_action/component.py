"""The typed spec of the stage decide_action."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def decide_action(
    production: dsl.Input[dsl.Model],
    parent: dsl.Input[dsl.Model],
    reference: dsl.Input[dsl.Dataset],
    reference_ref: dsl.Input[dsl.Artifact],
    window: dsl.Input[dsl.Dataset],
    rows: dsl.Input[dsl.Dataset],
    labelled: dsl.Input[dsl.Dataset],
    labelled_rows: dsl.Input[dsl.Dataset],
    label_counts: dsl.Input[dsl.Artifact],
    prediction_log: dsl.Input[dsl.Artifact],
    drift_report: dsl.Input[dsl.Artifact],
    estimate: dsl.Input[dsl.Artifact],
    expected: dsl.Input[dsl.Dataset],
    action: dsl.Output[dsl.Artifact],
    sample: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    act: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Decide: nothing, label, retrain, hold or roll back.

    Args:
        production: bundle in production.
        parent: bundle of the version it replaced, or a file that says that none is watched.
        reference: rows of the window that production was made from.
        reference_ref: the reference's final share: production never trained on those rows.
        window: newest predictions.
        rows: their names.
        labelled: predictions with their labels.
        labelled_rows: their names.
        label_counts: what became of the labels.
        prediction_log: situation and counts of the log.
        drift_report: of the window against the reference.
        estimate: of the window's loss, without labels.
        expected: what it says of each row of the window.
        action: the record, with every number it rests on.
        sample: names of the rows to label; empty where none are asked for.
        page: the same for a person.
        act: none, label, retrain, hold or rollback.
    """
    return container("decide_action")
