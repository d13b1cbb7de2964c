"""The typed spec of the stage decide_promotion."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def decide_promotion(
    policy: str,
    drift_report: dsl.Input[dsl.Artifact],
    evaluation_report: dsl.Input[dsl.Artifact],
    validation_report: dsl.Input[dsl.Artifact],
    candidate: dsl.Input[dsl.Model],
    history: dsl.Input[dsl.Artifact],
    decision: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    verdict: dsl.OutputPath(str),
    rule: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Ask the policy: may this candidate replace what is in production?

    Args:
        policy: text of the policy.
        drift_report: what changed between the windows.
        evaluation_report: both models on the same rows.
        validation_report: the current window's findings.
        candidate: bundle; its manifest is the provenance.
        history: what the ledger says.
        decision: verdict, rule, reasons, what would change it.
        page: the whole run for a person.
        verdict: PROMOTE, NEEDS_APPROVAL, HOLD or REJECT.
        rule: name of the policy row that matched.
    """
    return container("decide_promotion")
