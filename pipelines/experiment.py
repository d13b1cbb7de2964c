"""The experiment: rules decide over streams whose shift is known, and their decisions are scored.

The benchmark of ``warrant benchmark decisions`` on a cluster: one branch a scenario and seed, in it
one a rule. Beside it the profile of a large window is counted part by part and added exactly.
"""

from kfp import dsl

from components.collect_scores.component import collect_scores
from components.list_row_groups.component import list_row_groups
from components.merge_profiles.component import merge_profiles
from components.profile_row_group.component import profile_row_group
from components.replay_policy.component import replay_policy
from components.simulate_stream.component import simulate_stream

__all__ = ["experiment"]


@dsl.pipeline(
    name="experiment",
    description="Scores the decisions of several rules on streams whose shift is known.",
)
def experiment(
    scenarios: list,
    rules: list,
    seeds: list[int],
    large: str = "loans/covariate/gradual/1",
    large_rows: int = 1_000_000,
    rows: int = 20_000,
    windows: int = 10,
    final: float = 0.3,
    onset: float = 0.45,
    recipe: dict = {},  # noqa: B006 - kfp reads the default, nobody changes it
    policy: str = "",
) -> None:
    """Wire the stages.

    Args:
        scenarios: each ``BASE/KIND/SHAPE/SIZE``.
        rules: each the name of a rule; see ``modelwarrant.backtest.RULES``.
        seeds: each a whole number.
        large: scenario of the large window.
        large_rows: its rows; a part has 131,072.
        rows: rows of each stream.
        windows: windows that each stream is cut into.
        final: share of each window that only evaluation reads.
        onset: share of each stream before its shift.
        recipe: how every window's model is fitted; empty for the benchmark's own.
        policy: text of the promotion policy; empty for the shipped one.
    """
    with dsl.ParallelFor(scenarios) as scenario, dsl.ParallelFor(seeds) as seed:
        drawn = simulate_stream(scenario=scenario, seed=seed, rows=rows, onset=onset)
        with dsl.ParallelFor(rules) as rule:
            replayed = replay_policy(
                rule=rule,
                policy=policy,
                recipe=recipe,
                windows=windows,
                final=final,
                digest=drawn.outputs["digest"],
                stream=drawn.outputs["stream"],
                truth=drawn.outputs["truth"],
            )
    collect_scores(scores=dsl.Collected(replayed.outputs["score"]))
    window = simulate_stream(scenario=large, seed=0, rows=large_rows, onset=onset)
    planned = list_row_groups(window=window.outputs["stream"], digest=window.outputs["digest"])
    with dsl.ParallelFor(planned.outputs["groups"]) as group:
        profiled = profile_row_group(
            window=window.outputs["stream"],
            edges=planned.outputs["edges"],
            group=group,
            digest=window.outputs["digest"],
        )
    merge_profiles(
        profiles=dsl.Collected(profiled.outputs["profile"]), rows=planned.outputs["rows"]
    )
