"""The typed spec of the stage replay_policy."""

from kfp import dsl

from components.spec import container


@dsl.container_component
def replay_policy(
    rule: str,
    policy: str,
    recipe: dict,
    windows: int,
    final: float,
    digest: str,
    stream: dsl.Input[dsl.Dataset],
    truth: dsl.Input[dsl.Artifact],
    score: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    regret: dsl.OutputPath(str),
) -> dsl.ContainerSpec:
    """Run the lifecycle over a stream, window by window, and score a rule's decisions.

    Args:
        rule: what decides: ``policy-approved``, ``metric-only``, ``oracle`` and so on.
        policy: text of the promotion policy; empty for the shipped one.
        recipe: how every window's model is fitted; empty for the benchmark's own.
        windows: windows that the stream is cut into.
        final: share of each window that only evaluation reads.
        digest: the stream's digest.
        stream: the rows.
        truth: which shift they have, and their seed.
        score: each decision, and what the next window said of it.
        metrics: wrong and missed promotions, reviews, trainings, regret.
        regret: loss beyond the oracle's, as a share of it.
    """
    return container("replay_policy")
