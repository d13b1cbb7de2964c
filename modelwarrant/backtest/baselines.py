"""What would the usual rules do with a window: triggers, tests and approval policies from papers?

Each is a rule as ``rules`` knows them. A trigger trains and promotes at once; a comparison trains a
candidate every window and promotes it or leaves it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.adwin import adwin_alarms
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.replaying import remembering
from modelwarrant.backtest.share_rule import SHARE, drifted_share
from modelwarrant.evaluation import mean_bounds
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.champion import loss_e_value

__all__ = ["BASELINES"]

Floats = npt.NDArray[np.float64]
Condition = Callable[[Course, Standing, int], bool]

_ALPHA: Final = 0.05
_TOLERATED: Final = 1.1
"""The usual alarm of a dashboard: the loss is 10 % above its reference."""
_MARGIN: Final = 0.01
"""Share of the loss within which an approval policy calls a model not inferior."""
_ENOUGH: Final = 1 / _ALPHA
"""E-value at which a hypothesis is rejected at level alpha."""
_PAYOUT: Final = _ALPHA
"""What an approval adds to the error budget of alpha-investing."""


def _triggered(condition: Condition, *, reads: Literal["inputs", "labels"]) -> Rule:
    """Return the rule that trains and promotes whenever something is true of the window."""

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        goes = condition(course, standing, lap)
        labels = len(course.row_losses(standing.production, lap)) if reads == "labels" else None
        return Act(trained=goes, promoted=goes, labels=labels)

    return rule


def _compared(condition: Condition) -> Rule:
    """Return the rule that trains every window's candidate and promotes it where it passes."""

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        return Act(trained=True, promoted=condition(course, standing, lap))

    return rule


def _has_lower_loss(course: Course, standing: Standing, lap: int) -> bool:
    ours, theirs = (course.loss(model, lap, final=True) for model in (lap, standing.production))
    return ours < theirs


def _is_tested_better(course: Course, standing: Standing, lap: int) -> bool:
    """Test each candidate by itself at level .05, as if it were the only one."""
    return _gain_above(course, lap, standing.production, margin=0.0, alpha=_ALPHA)


def _gain_above(course: Course, lap: int, baseline: int, *, margin: float, alpha: float) -> bool:
    """Return whether a paired test shows the gain over a model to exceed minus a margin."""
    theirs = course.row_losses(baseline, lap, final=True)
    gain = theirs - course.row_losses(lap, lap, final=True)
    bounds = mean_bounds(gain, Blocks(np.arange(len(gain)), "rows"), alpha=alpha)
    return bounds.lower is not None and bounds.lower > -margin * float(theirs.mean())


def _drifts(course: Course, standing: Standing, lap: int) -> bool:
    """Return whether the drift report says so, whatever the cause."""
    return course.drift(standing.production, lap).level in ("drift", "blocked")


def _half_drifted(course: Course, standing: Standing, lap: int) -> bool:
    reference, current = (course.laps[each].window for each in (standing.production, lap))
    return drifted_share(reference, current) >= SHARE


def _error_grew(course: Course, standing: Standing, lap: int) -> bool:
    reference = course.loss(standing.production, standing.production, final=True)
    return course.loss(standing.production, lap) > _TOLERATED * reference


def _adwin_alarmed(course: Course, standing: Standing, lap: int) -> bool:
    """Return whether ADWIN, started when production was, alarms within this window."""
    production = standing.production
    bound = course.loss_bound(production)
    parts = [
        course.row_losses(production, production, final=True),
        *(course.row_losses(production, each) for each in range(production + 1, lap + 1)),
    ]
    scaled = np.minimum(np.concatenate(parts), bound) / bound
    earlier = len(scaled) - len(parts[-1])
    return any(alarm > earlier for alarm in adwin_alarms(scaled))


def _passes_both_e_values(course: Course, standing: Standing, lap: int) -> bool:
    """Bet against 'no better now' and against 'inferior on the reference'; both must be rejected.

    A conjunction needs no correction: it is wrong only where the true one of them is rejected.
    """
    production = standing.production
    bound = course.loss_bound(production)
    return all(
        _e_value(course, lap, production, on=on, bound=bound, margin=margin) >= _ENOUGH
        for on, margin in ((lap, 0.0), (production, _MARGIN))
    )


def _e_value(
    course: Course, ours: int, theirs: int, *, on: int, bound: float, margin: float
) -> float:
    """Return the e-value against H0 'the gain is at most minus the margin'."""
    baseline, candidate = (
        np.minimum(course.row_losses(model, on, final=True), bound) for model in (theirs, ours)
    )
    gain = (baseline - candidate) / bound + margin * float(baseline.mean()) / bound
    return loss_e_value(np.clip((gain + 1) / 2, 0.0, 1.0), null_mean=0.5)


def _approve_fixed(course: Course, standing: Standing, lap: int) -> bool:
    """Approve what is shown not to be inferior to production, at the same level each time."""
    return _gain_above(course, lap, standing.production, margin=_MARGIN, alpha=_ALPHA)


def _approve_adaptively(
    course: Course, standing: Standing, lap: int, state: tuple[float, tuple[int, ...]]
) -> tuple[Act, tuple[float, tuple[int, ...]]]:
    """Approve what is not inferior to any model approved before, on a budget that approvals refill.

    Alpha-investing: half of the budget is spent on each candidate. That must pass against every
    approved model, so quality cannot creep down by small steps.
    """
    budget, approved = state
    spent = budget / 2
    goes = all(_gain_above(course, lap, model, margin=_MARGIN, alpha=spent) for model in approved)
    left = budget - spent + (_PAYOUT if goes else 0.0)
    return Act(trained=True, promoted=goes), (left, (*approved, lap) if goes else approved)


_BEGINNING: Final[tuple[float, tuple[int, ...]]] = (_ALPHA, (0,))
"""Budget and approved models before anything was decided."""

BASELINES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "metric-only": _compared(_has_lower_loss),
        "metric-tested": _compared(_is_tested_better),
        "drift-blocks": _compared(
            lambda course, standing, lap: (
                _has_lower_loss(course, standing, lap) and not _drifts(course, standing, lap)
            )
        ),
        "drift-retrains": _triggered(_drifts, reads="inputs"),
        "share-retrains": _triggered(_half_drifted, reads="inputs"),
        "error-threshold": _triggered(_error_grew, reads="labels"),
        "adwin": _triggered(_adwin_alarmed, reads="labels"),
        "approval-fixed": _compared(_approve_fixed),
        "approval-adaptive": remembering(_approve_adaptively, lambda course: _BEGINNING),
        "e-conjunction": _compared(_passes_both_e_values),
    }
)
"""Rules to compare with, by name.

``approval-*`` follow Feng, Emerson and Simon (Biometrics 2020), for one metric; ``e-conjunction``
follows the anytime-valid gates of 2026.
"""
