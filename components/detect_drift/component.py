"""The typed spec of the stage detect_drift."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def detect_drift(
    current: dsl.Input[dsl.Dataset],
    reference: dsl.Input[dsl.Dataset],
    reference_ref: dsl.Input[dsl.Artifact],
    production: dsl.Input[dsl.Model],
    season_s: int,
    slices: list,
    digest: str,
    drift_report: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    level: dsl.OutputPath(str),
    history: dsl.Input[dsl.Dataset] = None,
) -> dsl.ContainerSpec:
    """Compare the current window with the reference: gates, features, joint, answers, labels.

    Args:
        current: validated rows of the current window.
        reference: validated rows of the reference window.
        reference_ref: the reference's final share: production never trained on those rows.
        production: bundle in production, or a file that says there is none yet.
        season_s: seconds after which the data repeats itself; 0 for none.
        slices: columns in whose slices the labelled loss is looked at; none takes those that weigh
            most.
        digest: the current window's digest.
        drift_report: the record.
        page: the same for a person.
        level: none, notice, drift, unknown or blocked.
        history: rows of the past, where the last window of the same season is looked for; needed
            with a season.
    """
    return container("detect_drift")
