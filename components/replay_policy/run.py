"""Run the lifecycle over a stream, window by window, and score a rule's decisions."""

import sys
from collections.abc import Sequence

from modelwarrant import policy
from modelwarrant.backtest import RECIPE, Setting, course_of, run_backtest
from modelwarrant.records import Recipe
from modelwarrant.records.simulation import StreamTruth
from modelwarrant.sources import load_window
from modelwarrant.stage import Task, run_stage


def replay(task: Task) -> None:
    """Cut the stream, ask the rule at every window, write what came of it."""
    truth = StreamTruth.from_bytes(task.path("truth").read_bytes(), name="truth")
    stream = load_window(task.path("stream"))
    text, recipe = task.parameter("policy"), task.parameter("recipe")
    rules = policy.load(text.encode(), name="policy") if text else policy.default_policy()
    setting = Setting(
        rows=len(stream),
        windows=task.parameter("windows"),
        final=task.parameter("final"),
        onset=truth.onset,
        recipe=Recipe.model_validate(recipe) if recipe else RECIPE,
    )
    score = run_backtest(
        course_of(stream, setting, source=truth.scenario),
        task.parameter("rule"),
        rules,
        scenario=truth.scenario,
        seed=truth.seed,
    )
    task.write("score", score)
    task.output("metrics").touch()
    task.annotate(
        "metrics",
        wrong=score.wrong,
        missed=score.missed,
        promotions=score.promotions,
        reviews=score.reviews,
        trainings=score.trainings,
        regret=score.regret,
    )
    task.set("regret", f"{score.regret:.4g}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("replay_policy", replay, argv)


if __name__ == "__main__":
    sys.exit(main())
