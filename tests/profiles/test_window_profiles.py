"""A window profiled in parts, a row group at a time, equals the window profiled whole."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.errors import RecordError, SchemaMismatchError
from modelwarrant.profiles import WindowProfile, add_profiles, profile_window
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window

SCHEMA = FeatureSchema(
    features=(
        Feature(name="size", kind="number"),
        Feature(name="colour", kind="category"),
        Feature(name="is_new", kind="boolean"),
        Feature(name="at", kind="time"),
    )
)


def window(rows: int, *, seed: int) -> Window:
    """Return a window of every kind of column, with missing values."""
    random = np.random.default_rng(seed)
    is_missing = random.random(rows) < 0.1
    return typed_window(
        pa.table(
            {
                "size": pa.array(random.lognormal(0, 2, rows), mask=is_missing),
                "colour": pa.array(random.choice(["red", "blue", "green"], rows), mask=is_missing),
                "is_new": pa.array(random.random(rows) < 0.3),
                "at": pa.array(random.integers(0, 10**15, rows), pa.timestamp("us")),
            }
        ),
        SCHEMA,
    )


def test_row_groups_add_to_the_window() -> None:
    """Uneven parts, along the reference's edges, in any order."""
    edges = profile_window(window(3000, seed=1)).edges
    current = window(2000, seed=2)
    cuts = [0, 1, 700, 701, 1999, 2000]
    parts = [
        profile_window(current.take(np.arange(low, high)), edges=edges)
        for low, high in itertools.pairwise(cuts)
    ]

    assert profile_window(current, edges=edges) == add_profiles(reversed(parts))


@pytest.mark.parametrize("seed", range(5))
def test_parts_in_any_order_make_the_bytes_of_the_whole(seed: int) -> None:
    """Rows dealt to parts at random, parts added in a random order: not one byte differs."""
    random = np.random.default_rng(seed)
    edges = profile_window(window(3000, seed=10 + seed)).edges
    current = window(2000, seed=20 + seed)
    dealt = np.array_split(random.permutation(2000), random.integers(1, 12))
    parts = [profile_window(current.take(rows), edges=edges) for rows in dealt]
    whole = profile_window(current, edges=edges).to_bytes()

    assert (
        whole == add_profiles(parts[index] for index in random.permutation(len(parts))).to_bytes()
    )


def test_a_profile_survives_its_bytes() -> None:
    """Canonical bytes in, the same profile out."""
    profile = profile_window(window(500, seed=3))

    assert profile == WindowProfile.from_bytes(profile.to_bytes(), name="profile.json")


def test_a_profile_does_not_grow_with_the_rows() -> None:
    """Ten times the rows give at most a tenth more bytes: digits of the counts."""
    small, large = (profile_window(window(rows, seed=4)) for rows in (20_000, 200_000))

    assert len(large.to_bytes()) < 1.1 * len(small.to_bytes())


def test_a_number_without_edges_is_named() -> None:
    """The reference never profiled it as a number."""
    with pytest.raises(SchemaMismatchError, match="'size' has no edges"):
        profile_window(window(10, seed=5), edges={})


def test_profiles_of_other_columns_do_not_add() -> None:
    """Neither do a number and a category of one name."""
    profile = profile_window(window(10, seed=6))
    fewer = WindowProfile(10, {"size": profile.columns["size"]})
    other = WindowProfile(10, {"size": profile.columns["colour"]})
    with pytest.raises(ValueError, match="different columns"):
        add_profiles([profile, fewer])
    with pytest.raises(ValueError, match="do not add"):
        add_profiles([fewer, other])


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"schema_version":2}', b'{"schema_version":1,"rows":1,"columns":[{}]}']
)
def test_bytes_that_are_no_profile_are_refused(data: bytes) -> None:
    """The error names the file."""
    with pytest.raises(RecordError, match=r"^old\.json: not a window's profile"):
        WindowProfile.from_bytes(data, name="old.json")
