"""The typed spec of the stage evaluate_model."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def evaluate_model(
    metric: str,
    slices: list,
    policy: str,
    candidate: dsl.Input[dsl.Model],
    production: dsl.Input[dsl.Model],
    anchor: dsl.Input[dsl.Model],
    current_train: dsl.Input[dsl.Dataset],
    current_final: dsl.Input[dsl.Dataset],
    reference_final: dsl.Input[dsl.Dataset],
    history: dsl.Input[dsl.Artifact],
    final_digest: str,
    evaluation_report: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    gain: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Score candidate and production again on the same final rows of both windows.

    Args:
        metric: the one the decision is about.
        slices: columns whose slices must not be harmed.
        policy: text of the policy; it declares level and margins before anything is looked at.
        candidate: bundle of the candidate.
        production: bundle in production, or a file that says there is none yet.
        anchor: bundle of the last version a person approved, or a file that says there is none.
        current_train: what the trivial predictor is fitted on.
        current_final: final split of the current window.
        reference_final: final split of the reference window.
        history: looks and candidates so far, for the level of the bounds.
        final_digest: digest of the current final split.
        evaluation_report: the record.
        page: the same for a person.
        metrics: both models' metrics on the current window.
        gain: baseline loss minus candidate loss, with its bounds, in words.
    """
    return container("evaluate_model")
