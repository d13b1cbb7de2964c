"""Whatever the evidence: worse never helps, and a decision is always a finite document."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwarrant.canonical import parse_json
from modelwarrant.policy import LEVELS, default_policy
from modelwarrant.policy.levels import ORDERED, RANK

_SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "gain": st.floats(-0.2, 0.2),
    "reference_gain": st.floats(-0.2, 0.2),
    "anchor_gain": st.floats(-0.2, 0.2),
    "half_width": st.one_of(st.none(), st.floats(0, 0.1)),
    "n_rows": st.integers(1, 10_000),
    "deviation": st.floats(0, 1),
}


@_SETTINGS
@given(st.fixed_dictionaries(_NUMBERS), st.booleans())
def test_every_decision_is_a_finite_document(good, numbers, first):
    """No NaN, no infinity, and the levels are the table's own words."""
    case = good.but(**numbers, first=first)
    decision = case.decide()

    assert parse_json(decision.to_bytes(), name="decision")
    assert all(decision.levels[name] in LEVELS[name] for name in LEVELS)


@_SETTINGS
@given(
    st.fixed_dictionaries(_NUMBERS),
    st.sampled_from(["gain", "reference_gain", "anchor_gain", "n_rows", "half_width"]),
    st.floats(0, 0.1),
)
def test_worse_numbers_never_give_a_better_verdict(good, numbers, name, by):
    """Less gain, wider bounds or fewer labels bring a candidate no nearer to promotion."""
    before = good.but(**numbers)
    value = numbers[name]
    if name == "n_rows":
        worse = max(1, int(value * (1 - 5 * by)))
    elif name == "half_width":
        worse = None if value is None else value + by
    else:
        worse = value - by
    after = before.but(**{name: worse})

    assert RANK[after.decide().verdict] <= RANK[before.decide().verdict]


@_SETTINGS
@given(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in LEVELS.items()}),
    st.sampled_from(sorted(ORDERED)),
)
def test_a_worse_level_never_gives_a_better_verdict(levels, name):
    """The same on the table itself, one level at a time."""
    values = LEVELS[name]
    index = values.index(levels[name])
    if name == "evidence":
        index = 3 if index == 3 else 0
    worse = {**levels, name: values[max(index - 1, 0)]}
    policy = default_policy()

    assert RANK[policy.first_match(worse).verdict] <= RANK[policy.first_match(levels).verdict]


@_SETTINGS
@given(st.fixed_dictionaries(_NUMBERS))
def test_identical_models_are_never_promoted(good, numbers):
    """A/A: neither the digest nor the answers of production pass as a candidate."""
    production = good.documents.history.production_digest
    for case in (
        good.but(**numbers, manifest={"model_digest": production}),
        good.but(**numbers, evaluation={"identical_answers": True}),
    ):
        assert case.decide().verdict == "HOLD"
