"""What does the promotion policy say of a candidate of a backtest?"""

from modelwarrant import policy
from modelwarrant.backtest.acts import Standing
from modelwarrant.backtest.course import Course, EvaluationTerms
from modelwarrant.policy import ENGINE_VERSION, Policy
from modelwarrant.records import Decision, History

__all__ = ["decide"]


def decide(
    rules: Policy,
    course: Course,
    standing: Standing,
    lap: int,
    *,
    candidate: int | None = None,
    since: int | None = None,
) -> Decision | None:
    """Decide as the stages do; None where the window's broken contract ends the run before.

    Args:
        rules: the policy.
        course: the stream.
        standing: what the ledger would say.
        lap: number of the window.
        candidate: the model to decide on; None takes the window's own.
        since: window from whose final split on all rows judge; None takes ``lap``.
    """
    wanted, first = lap if candidate is None else candidate, lap if since is None else since
    validation = course.pool(first, lap).validation
    if validation is None:
        return None
    production = course.model(standing.production)
    history = History(
        model=production.manifest.model,
        production_version=1,
        production_digest=production.digest,
        anchor_version=1,
        anchor_digest=course.model(standing.anchor).digest,
        candidates=standing.candidates,
        looks=len(standing.candidates),
        policy_digest=rules.digest,
        engine_version=ENGINE_VERSION,
    )
    manifest = course.manifest(lap, production=standing.production, candidate=wanted, since=first)
    terms = EvaluationTerms(
        alpha=policy.alpha_for(rules, history, manifest.model_digest, own=manifest.train == "own"),
        margin_non_inferiority=rules.thresholds.margin_ni,
        margin_slices=rules.thresholds.margin_slices,
        policy_digest=rules.digest,
    )
    return policy.decide(
        rules,
        manifest=manifest,
        drift=course.drift(standing.production, lap, since=first),
        evaluation=course.evaluation(
            lap,
            production=standing.production,
            anchor=standing.anchor,
            terms=terms,
            candidate=wanted,
            since=first,
        ),
        validation=validation,
        history=history,
    )
