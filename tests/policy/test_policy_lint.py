"""The linter proves what it promises, and finds what is planted."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from modelwarrant.errors import PolicyError
from modelwarrant.policy import LEVELS, Row, default_policy, lint
from modelwarrant.policy.levels import BARRIERS


def _with_rows(rows):
    return replace(default_policy(), rows=tuple(rows))


def _without(name):
    return _with_rows(row for row in default_policy().rows if row.name != name)


def _before(name, row):
    rows = list(default_policy().rows)
    index = [each.name for each in rows].index(name)
    return _with_rows([*rows[:index], row, *rows[index:]])


def test_the_shipped_policy_is_proven():
    """Total, no dead row, fail-closed, monotonic."""
    assert () == lint(default_policy())


def test_a_hole_is_found():
    """Without its last row the table leaves cases undecided."""
    findings = lint(_without("no-gain-shown"))

    assert any(finding.startswith("no row decides when") for finding in findings)


def test_an_unreachable_row_is_found():
    """A row that the rows above it take entirely is dead."""
    row = Row("again", ({"identical": ("yes",), "drift": ("none",)},), "HOLD", "x")
    findings = lint(_before("evidence", row))

    assert ["row 'again' can never decide"] == [finding.split(":")[0] for finding in findings]


def test_a_row_that_only_impossible_evidence_reaches_is_found():
    """Without a production model there is no champion to degrade."""
    row = Row("ghost", ({"production": ("none",), "champion": ("degraded",)},), "REJECT", "x")

    assert any(
        "'ghost' can never decide" in finding for finding in lint(_before("first-model", row))
    )


@pytest.mark.parametrize(
    ("removed", "why"),
    [
        ("identical", "the candidate is what is in production"),
        ("evidence", "the evidence does not hold"),
        ("not-ratified", "nobody ratified the policy"),
        ("data-fault", "a failed gate cannot be approved away"),
        ("power-short", "the evidence is under-powered"),
        ("first-model-below-floor", "no better than a trivial predictor"),
        ("worse", "a slice is harmed"),
    ],
)
def test_a_permissive_table_is_found(removed, why):
    """Each veto that is taken away lets some weak evidence through, and the linter says which."""
    assert any(why in finding for finding in lint(_without(removed)))


def test_a_row_that_promotes_without_a_gain_is_found():
    """An unclear interval may not promote, whoever wrote the row."""
    row = Row("hope", ({"current": ("unclear",)},), "PROMOTE", "x")
    findings = lint(_before("no-gain-shown", row))

    assert any("'hope' says PROMOTE although no gain is shown" in f for f in findings)


def test_worse_evidence_that_gives_a_better_verdict_is_found():
    """A row that asks for an overdue review to promote is a mistake."""
    row = Row("odd", ({"current": ("better",), "overdue": ("no",)},), "HOLD", "x")
    findings = lint(_before("better-with-reservation", row))

    assert any("when overdue is yes" in finding for finding in findings)


def test_a_policy_that_fails_the_linter_is_stopped_at_run_time_too(good):
    """The barriers hold even where nobody ran the linter."""
    permissive = _without("power-short")
    case = good.but(policy=permissive, n_rows=171)

    with pytest.raises(PolicyError, match="row 'better': says PROMOTE although the evidence is"):
        case.decide()


def test_a_case_without_a_row_is_an_error(good):
    """A hole is named, not filled with a guess."""
    case = good.but(policy=_without("no-gain-shown"), gain=0.003)

    with pytest.raises(PolicyError, match="no row matches"):
        case.decide()


def test_the_enumeration_agrees_with_the_rows_one_by_one():
    """A sample of combinations, walked row by row, meets no barrier."""
    rng = np.random.default_rng(3)
    policy = default_policy()
    for _ in range(2000):
        levels = {name: str(rng.choice(values)) for name, values in LEVELS.items()}
        row = policy.first_match(levels)
        assert not any(barrier.stops(levels, row.verdict) for barrier in BARRIERS)


def test_only_one_row_promotes_and_only_on_good_evidence():
    """Over the levels that matter for a promotion, enumerated by hand."""
    fixed = {"production": "some", "identical": "no", "evidence": "fresh", "policy": "ratified"}
    fixed |= {"gates": "ok", "power": "enough", "floor": "met", "overdue": "no"}
    fixed |= {"champion": "ok", "calibration": "ok"}
    free = ("current", "reference", "slices", "drift", "trained_on", "anchor")
    promoted = []
    for values in product(*(LEVELS[name] for name in free)):
        levels = {**fixed, **dict(zip(free, values, strict=True))}
        if default_policy().first_match(levels).verdict == "PROMOTE":
            promoted.append(levels)

    assert promoted
    assert all(levels["current"] == "better" for levels in promoted)
    assert all(levels["reference"] in ("better", "not worse") for levels in promoted)
    assert all(levels["slices"] == "ok" and levels["anchor"] == "ok" for levels in promoted)
    assert not any(
        levels["drift"] == "drift" and levels["trained_on"] == "stale" for levels in promoted
    )
