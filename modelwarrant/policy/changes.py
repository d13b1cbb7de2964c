"""What is the nearest change of evidence that would give another verdict?

For a verdict short of promotion: the fewest levels that must rise, each by as little as needed.
For a promotion: each single measured level whose fall would have stopped it.
Where the last human-approved model is production itself, both are one comparison: the anchor moves
with the current window's level, never alone.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product

from modelwarrant.policy.evidence import Documents
from modelwarrant.policy.levels import LEVELS, VERDICTS
from modelwarrant.policy.measure import Measured
from modelwarrant.policy.table import Policy
from modelwarrant.records import Change, Comparison, Interval, Verdict

__all__ = ["nearest_changes"]

_FIXED = frozenset({"production"})
"""Not for the evidence to change."""

_MEASURED = ("current", "reference", "slices", "calibration", "overdue", "drift", "anchor")
"""What may turn out worse at a next look; the rest is bookkeeping."""

_MOST_AT_ONCE = 4

Step = tuple[str, str]
"""A level and the value it would have."""


def nearest_changes(documents: Documents, policy: Policy, measured: Measured) -> tuple[Change, ...]:
    """Return the nearest changes, the one nearest to promotion first."""
    levels = measured.levels
    now = policy.first_match(levels).verdict
    history = documents.history
    tied = history.anchor_digest is not None and history.anchor_digest == history.production_digest
    if now == "PROMOTE":
        found = list(_stoppers(policy, levels, now, tied=tied))
    else:
        found = list(_raisers(policy, levels, now, tied=tied))
    said = _Words(documents, policy, measured)
    changes = [_change(steps, verdict, levels, said) for steps, verdict in found]
    return tuple(sorted(changes, key=lambda change: -VERDICTS.index(change.verdict)))


def _after(
    policy: Policy, levels: Mapping[str, str], steps: tuple[Step, ...], *, tied: bool
) -> dict[str, str]:
    """Return the levels after some steps, with what they bring about by themselves."""
    changed = {**levels, **dict(steps)}
    allows = ["better"]
    if policy.thresholds.margin_ni <= policy.thresholds.margin_total:
        allows.append("not worse")
    if tied and changed["current"] in allows:
        changed["anchor"] = "ok"
    return changed


def _raisers(
    policy: Policy, levels: Mapping[str, str], now: Verdict, *, tied: bool
) -> Iterator[tuple[tuple[Step, ...], Verdict]]:
    """Find the smallest sets of levels whose rise gives a better verdict."""
    better = {
        name: values[values.index(levels[name]) + 1 :]
        for name, values in LEVELS.items()
        if name not in _FIXED and levels[name] != values[-1] and not (tied and name == "anchor")
    }
    for size in range(1, _MOST_AT_ONCE + 1):
        found = False
        for names in combinations(better, size):
            seen: set[Verdict] = set()
            for values in product(*(better[name] for name in names)):
                steps = tuple(zip(names, values, strict=True))
                row = policy.row_for(_after(policy, levels, steps, tied=tied))
                if row is None or row.verdict in seen:
                    continue
                if VERDICTS.index(row.verdict) > VERDICTS.index(now):
                    seen.add(row.verdict)
                    found = True
                    yield steps, row.verdict
        if found:
            return


def _stoppers(
    policy: Policy, levels: Mapping[str, str], now: Verdict, *, tied: bool
) -> Iterator[tuple[tuple[Step, ...], Verdict]]:
    for name in _MEASURED:
        if tied and name == "anchor":
            continue
        values = LEVELS[name]
        for value in reversed(values[: values.index(levels[name])]):
            row = policy.row_for(_after(policy, levels, ((name, value),), tied=tied))
            if row is not None and row.verdict != now:
                yield ((name, value),), row.verdict
                break


def _change(
    steps: tuple[Step, ...], verdict: Verdict, levels: Mapping[str, str], said: "_Words"
) -> Change:
    return Change(
        level=" and ".join(name for name, _ in steps),
        now=" and ".join(levels[name] for name, _ in steps),
        then=" and ".join(value for _, value in steps),
        verdict=verdict,
        detail="; and ".join(said(name, value) for name, value in steps),
    )


class _Words:
    """Says in words, with the missing number, what a level needs to reach a value."""

    def __init__(self, documents: Documents, policy: Policy, measured: Measured) -> None:
        self._evaluation = documents.evaluation
        self._thresholds = policy.thresholds
        self._measured = measured

    def __call__(self, name: str, value: str) -> str:
        """Return the words."""
        facts, evaluation = self._measured.facts, self._evaluation
        special: dict[str, Callable[[], str]] = {
            "current": lambda: self._bound(evaluation.current, value),
            "reference": lambda: self._bound(evaluation.reference, value),
            "anchor": lambda: self._anchor(value),
            "floor": lambda: self._floor(),
            "power": lambda: facts["power"],
            "champion": lambda: self._champion(value),
            "slices": lambda: self._state(value, facts["slices"], "slices"),
            "calibration": lambda: self._state(value, facts["calibration"], "the calibration"),
        }
        if name in special:
            return special[name]()
        plain = {
            "identical": f"a candidate that differs: {facts['identical']}",
            "evidence": f"documents measured anew ({facts['evidence']})",
            "policy": f"a ratified policy (warrant policy ratify): {facts['policy']}",
            "gates": f"data without the fault: {facts['gates']}",
            "trained_on": f"a candidate trained on the current window: {facts['trained_on']}",
        }
        if name == "overdue":
            return f"nothing overdue: {facts['overdue']}" if value == "no" else "something overdue"
        if name == "drift":
            return f"drift level {value} instead of: {facts['drift']}"
        return plain[name]

    def _bound(self, comparison: Comparison | None, value: str) -> str:
        if comparison is None:
            return "a comparison on the reference window"
        loss, where = comparison.baseline_loss, f"on the {comparison.window} window"
        lower, upper = _shown(comparison.gain)
        margin, margin_ni = self._thresholds.margin * loss, -self._thresholds.margin_ni * loss
        falling = LEVELS["current"].index(value) < LEVELS["current"].index(self._level(comparison))
        return {
            "better": f"a lower bound above {margin:.4g} instead of {lower} {where}",
            "not worse": (
                f"a lower bound of at most {margin:.4g} instead of {lower} {where}"
                if falling
                else f"a lower bound above {margin_ni:.4g} instead of {lower} {where}"
            ),
            "unclear": (
                f"a lower bound of at most {margin_ni:.4g} instead of {lower} {where}"
                if falling
                else f"an upper bound of at least 0 instead of {upper} {where}"
            ),
            "worse": f"an upper bound below 0 instead of {upper} {where}",
        }[value]

    def _level(self, comparison: Comparison) -> str:
        return self._measured.levels[comparison.window]

    def _anchor(self, value: str) -> str:
        comparison = self._evaluation.anchor
        if comparison is None:
            return "a comparison with the last human-approved model"
        allowed = -self._thresholds.margin_total * comparison.baseline_loss
        side = "of at least" if value == "ok" else "below"
        lower, _ = _shown(comparison.gain)
        return (
            f"a lower bound {side} {allowed:.4g} instead of {lower} against the last "
            "human-approved model"
        )

    def _floor(self) -> str:
        comparison = self._evaluation.floor or self._evaluation.current
        lower, _ = _shown(comparison.gain)
        return f"a lower bound above 0 instead of {lower} against the trivial predictor"

    def _champion(self, value: str) -> str:
        found = self._evaluation.champion
        if value != "degraded":
            return f"production's state known: {found.reason}"
        e_value = "no e-value" if found.e_value is None else f"{found.e_value:.4g}"
        return f"production proven degraded: an e-value of at least 100 instead of {e_value}"

    def _state(self, value: str, fact: str, what: str) -> str:
        if value == "ok":
            return f"{what} shown to be unharmed instead of: {fact}"
        return f"{what} {value}" + (f" instead of: {fact}" if value == "unclear" else "")


def _shown(gain: Interval) -> tuple[str, str]:
    lower = "none" if gain.lower is None else f"{gain.lower:.4g}"
    upper = "none" if gain.upper is None else f"{gain.upper:.4g}"
    return lower, upper
