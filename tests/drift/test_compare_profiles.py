"""Windows larger than memory are compared from their profiles, and give the same answer."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.profiles import WindowProfile, add_profiles, profile_window
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window

SCHEMA = FeatureSchema(
    features=(
        Feature(name="size", kind="number"),
        Feature(name="colour", kind="category"),
        Feature(name="is_new", kind="boolean"),
    )
)


def window(seed: int, *, shift: float = 0.0, colours: str = "rgb") -> Window:
    """Return 3,000 rows of every kind of column."""
    random = np.random.default_rng(seed)
    return typed_window(
        pa.table(
            {
                "size": random.normal(shift, 1.0, 3000),
                "colour": random.choice(list(colours), 3000),
                "is_new": random.random(3000) < 0.5,
            }
        ),
        SCHEMA,
    )


def profiled(reference: Window, current: Window) -> tuple[WindowProfile, WindowProfile]:
    """Profile both windows, the current one in row groups."""
    before = profile_window(reference)
    parts = [current.take(np.arange(start, start + 1000)) for start in (0, 1000, 2000)]
    return before, add_profiles(profile_window(part, edges=before.edges) for part in parts)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_profiles_give_the_index_of_the_rows(shift: float) -> None:
    """PSI, its p-values, Jensen-Shannon and levels are the same; distances differ by a bin."""
    windows = window(1), window(2, shift=shift)
    features, _ = drift.compare_profiles(*profiled(*windows))
    for counted, exact in zip(features, drift.compare(*windows).features, strict=True):
        assert counted.method in (None, "edges")
        assert (exact.psi, exact.level) == (counted.psi, counted.level)
        assert exact.psi_p_value_adjusted == counted.psi_p_value_adjusted
        assert exact.jensen_shannon == counted.jensen_shannon
        assert exact.ks is None or pytest.approx(exact.ks, abs=1 / 1024) == counted.ks


def test_gates_run_on_profiles() -> None:
    """A level that the reference never showed blocks its column."""
    features, gates = drift.compare_profiles(*profiled(window(1), window(2, colours="rgbx")))

    assert ("G4", "colour", "block") in {(g.gate, g.column, g.level) for g in gates}
    assert "blocked" == {f.name: f.level for f in features}["colour"]


def test_profiles_along_other_edges_are_refused() -> None:
    """Each took its edges from itself."""
    with pytest.raises(ValueError, match="differ in columns or edges"):
        drift.compare_profiles(profile_window(window(1)), profile_window(window(2)))


def test_profiles_of_other_columns_are_refused() -> None:
    """There is nothing to say of half a pair."""
    before, after = profiled(window(1), window(2))
    fewer = WindowProfile(after.rows, {"size": after.columns["size"]})
    with pytest.raises(ValueError, match="differ in columns or edges"):
        drift.compare_profiles(before, fewer)
