"""What would the usual rule decide with as many human reviews as another rule had?

Reviews are worth something by themselves. To see what a rule is worth, the one that it is compared
with gets the same number of reviews on the same stream, by the same perfect reviewer.
"""

import numpy as np

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.replaying import acts_of, remembering

__all__ = ["with_reviews_of"]


def with_reviews_of(reviewed: Rule, usual: Rule) -> Rule:
    """Return the usual rule, of whose promotions as many are reviewed as the other rule asks for.

    Which of them is drawn among the promotions that it makes by itself, seeded by the stream; where
    a review finds no promotion, the next one is reviewed. The reviewer knows the next window, and
    refuses what is not better there.

    Args:
        reviewed: the rule whose reviews are counted, decided by the same reviewer.
        usual: the rule that promotes by itself.
    """
    known: list[tuple[Course, tuple[int, ...]]] = []

    def planned(course: Course) -> tuple[int, ...]:
        """Return from which window on each review is due; worked out once a stream."""
        if not known or known[0][0] is not course:
            known[:] = [(course, _plan(course, reviewed, usual))]
        return known[0][1]

    def step(course: Course, standing: Standing, lap: int, used: int) -> tuple[Act, int]:
        act = usual(course, standing, lap)
        due = sum(each <= lap for each in planned(course))
        if not act.promoted or used >= due:
            return act, used
        is_better = course.loss(lap, lap + 1) < course.loss(standing.production, lap + 1)
        return Act(act.trained, is_better, reviewed=True), used + 1

    return remembering(step, lambda course: 0)


def _plan(course: Course, reviewed: Rule, usual: Rule) -> tuple[int, ...]:
    """Return from which window on each review is due; surplus ones from the first on."""
    until = len(course.laps) - 1
    reviews = sum(act.reviewed for act in acts_of(course, reviewed, until=until))
    asked = [lap for lap in range(1, until) if course.candidate(lap) is not None]
    acts = acts_of(course, usual, until=until)
    promoted = [lap for lap, act in zip(asked, acts, strict=True) if act.promoted]
    seed = int(course.laps[0].ref.window_digest.removeprefix("sha256:")[:16], 16)
    drawn = np.random.default_rng(seed).permutation(promoted)[:reviews].tolist()
    return (*sorted(drawn), *[1] * (reviews - len(drawn)))
