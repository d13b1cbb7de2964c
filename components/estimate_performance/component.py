"""The typed spec of the stage estimate_performance."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def estimate_performance(
    production: dsl.Input[dsl.Model],
    reference: dsl.Input[dsl.Dataset],
    reference_ref: dsl.Input[dsl.Artifact],
    window: dsl.Input[dsl.Dataset],
    prediction_log: dsl.Input[dsl.Artifact],
    drift_report: dsl.Input[dsl.Artifact],
    estimate: dsl.Output[dsl.Artifact],
    expected: dsl.Output[dsl.Dataset],
    level: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Estimate production's loss on the window, whose labels are not known yet.

    Args:
        production: bundle in production.
        reference: rows of the window that production was made from.
        reference_ref: the reference's final share: production never trained on those rows.
        window: newest predictions.
        prediction_log: metric and thresholds of the pass.
        drift_report: of the window against the reference.
        estimate: the record: estimates, their intervals, and whether they may be believed.
        expected: expected loss of each row of the window.
        level: ok, below or void.
    """
    return container("estimate_performance")
