"""A category's profile adds exactly, also where its levels no longer fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.errors import RecordError
from modelwarrant.profiles import MAX_LEVELS, CategoryProfile, categories, category_profile

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5))


@given(COUNTS, COUNTS, COUNTS, st.integers(1, 8))
def test_parts_add_to_the_whole_in_any_grouping(
    first: dict[str, int], second: dict[str, int], third: dict[str, int], limit: int
) -> None:
    """The form of a sum depends on its set of levels, not on which parts it came from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(categories, "MAX_LEVELS", limit)
        parts = [category_profile(part, missing=1) for part in (first, second, third)]
        levels = first.keys() | second.keys() | third.keys()
        total = {k: sum(p.get(k, 0) for p in (first, second, third)) for k in levels}
        whole = category_profile(total, missing=3)

        assert whole == parts[0] + parts[1] + parts[2]
        assert whole == parts[2] + (parts[1] + parts[0])


def test_memory_is_bounded_whatever_the_levels() -> None:
    """Beyond 10,000 levels counts stand over 4,096 buckets, and no row is lost."""
    many = category_profile({f"id {i}": 1 for i in range(MAX_LEVELS + 1)}, missing=0)

    assert many.hashed
    assert len(many.counts) <= 4096
    assert many.rows == MAX_LEVELS + 1


def test_a_named_profile_can_be_compared_with_a_hashed_one() -> None:
    """Its levels fall into the same buckets."""
    few = category_profile({"a": 3, "b": 1}, missing=0).to_hashed()

    assert (True, 4) == (few.hashed, few.rows)
    assert few == few.to_hashed()


@given(COUNTS)
def test_a_profile_survives_its_json(counts: dict[str, int]) -> None:
    """Every field is read back as it was."""
    profile = category_profile(counts, missing=2)

    assert profile == CategoryProfile.from_json(profile.to_json())


def test_json_that_is_no_profile_is_refused() -> None:
    """The error says what is read."""
    with pytest.raises(RecordError, match="not a category's profile"):
        CategoryProfile.from_json({"counts": [["a"]], "missing": 0, "hashed": False})
