"""Which levels does evidence have, and how far towards promotion may each of them lead?

A decision is made on these few words, not on numbers: a table over them can be read by a person,
enumerated by the linter, and argued about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from modelwarrant.records import Verdict

__all__ = ["BARRIERS", "LEVELS", "ORDERED", "RANK", "VERDICTS", "Barrier"]

LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "production": ("none", "some"),
        "floor": ("not met", "met"),
        "identical": ("yes", "no"),
        "evidence": ("missing", "stale", "mismatched", "fresh"),
        "policy": ("not ratified", "ratified"),
        "gates": ("blocked", "ok"),
        "power": ("short", "enough"),
        "current": ("worse", "unclear", "not worse", "better"),
        "reference": ("worse", "unclear", "not worse", "better"),
        "slices": ("harmed", "unclear", "ok"),
        "calibration": ("harmed", "unclear", "ok"),
        "overdue": ("yes", "no"),
        "drift": ("drift", "notice", "none"),
        "trained_on": ("stale", "current"),
        "champion": ("unknown", "ok", "degraded"),
        "anchor": ("crept", "ok"),
    }
)
"""Every level and its values, the least favourable to the candidate first.

* ``floor``: the lower bound of the gain over the trivial predictor is above 0.
* ``identical``: the candidate is production, or answers like it on every row.
* ``evidence``: ``stale`` was measured against another production, policy or alpha;
  ``mismatched`` documents are not about the same windows and models.
* ``power``: ``short`` of labels, of independent blocks, or of rows for the drift report.
* ``current``, ``reference``: better, lower bound > margin; worse, upper bound < 0; not worse,
  lower bound > -margin_ni; in this order.
* ``trained_on``: whether the candidate's training rows include the current window's.
* ``champion``: production's labelled loss since its reference (E2).
* ``anchor``: whether quality crept down since the last model that a person approved.
"""

ORDERED = frozenset(LEVELS) - {"production", "drift", "champion"}
"""Levels whose worse value may never give a verdict nearer to promotion. Not drift: a gain on the
drifted window may rightly count for more; nor the champion, whose decay speaks for a candidate."""

VERDICTS: tuple[Verdict, ...] = ("REJECT", "HOLD", "NEEDS_APPROVAL", "PROMOTE")

RANK: Mapping[str, int] = MappingProxyType(
    {"REJECT": 0, "HOLD": 0, "NEEDS_APPROVAL": 1, "PROMOTE": 2}
)
"""How near to promotion a verdict is; HOLD and REJECT are equally far."""


@dataclass(frozen=True)
class Barrier:
    """Levels under which no policy may go further than a verdict."""

    when: Mapping[str, tuple[str, ...]]
    most: Verdict
    why: str

    def stops(self, levels: Mapping[str, str], verdict: Verdict) -> bool:
        """Return whether the verdict goes too far on these levels."""
        return RANK[verdict] > RANK[self.most] and all(
            levels[name] in values for name, values in self.when.items()
        )


BARRIERS: tuple[Barrier, ...] = (
    Barrier({"identical": ("yes",)}, "HOLD", "the candidate is what is in production"),
    Barrier({"evidence": ("missing", "stale", "mismatched")}, "HOLD", "the evidence does not hold"),
    Barrier({"policy": ("not ratified",)}, "HOLD", "nobody ratified the policy"),
    Barrier({"gates": ("blocked",)}, "HOLD", "a failed gate cannot be approved away"),
    Barrier({"power": ("short",)}, "NEEDS_APPROVAL", "the evidence is under-powered"),
    Barrier({"current": ("worse", "unclear")}, "NEEDS_APPROVAL", "no gain is shown"),
    Barrier({"slices": ("harmed",)}, "NEEDS_APPROVAL", "a slice is harmed"),
    Barrier({"calibration": ("harmed",)}, "NEEDS_APPROVAL", "the calibration is harmed"),
    Barrier(
        {"production": ("none",), "floor": ("not met",)},
        "HOLD",
        "the candidate is no better than a trivial predictor",
    ),
)
"""What the linter proves of every policy, and what ``decide`` checks again at run time."""
