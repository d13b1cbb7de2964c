"""Which streams the benchmark runs over."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.backtest import (
    TABLES,
    Setting,
    Stream,
    course_of,
    declared_streams,
    drawn,
    quick_streams,
)
from modelwarrant.simulation import BASES
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window


def table(rows: int) -> Window:
    """Return labelled rows of two numbers."""
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((2, rows))
    schema = FeatureSchema(
        features=(Feature(name="x", kind="number"), Feature(name="z", kind="number")),
        task="regression",
        target="y",
    )
    return typed_window(pa.table({"x": x, "z": z, "y": x + rng.standard_normal(rows)}), schema)


def test_the_declared_fraction_is_the_same_for_everybody() -> None:
    """30 streams of each of 20 seeds, but for what was drawn twice, whoever asks."""
    streams = declared_streams(seeds=20, most=600)
    counts = [sum(stream.seed == seed for stream in streams) for seed in range(20)]

    assert streams == declared_streams(seeds=20, most=600)
    assert len(streams) == len(set(streams))
    assert 28 <= min(counts) <= max(counts) <= 30


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    """How many streams there are can follow from how fast they run, and from nothing else."""
    assert declared_streams(seeds=20, most=600)[:100] == declared_streams(seeds=20, most=100)


def test_kinds_bases_and_sizes_take_turns() -> None:
    """Every kind, base, shape and size comes, kinds and bases about equally often."""
    streams = declared_streams(seeds=20, most=200, tables=tuple(TABLES))
    parts = [stream.scenario.split("/") for stream in streams]
    kinds = [part[1] for part in parts]
    bases = [part[0] for part in parts]

    assert {19, 20} == {kinds.count(kind) for kind in kinds}
    assert {*BASES, *TABLES} == set(bases)
    assert 10 <= min(bases.count(base) for base in bases)
    assert {"abrupt", "gradual", "recurring", "passing"} == {part[2] for part in parts}
    assert {"0", "0.125", "0.25", "0.5", "1", "2"} == {part[3] for part in parts}


def test_a_fault_stays_or_is_mended() -> None:
    """Faults come for ever or pass; no other shift passes."""
    parts = [each.scenario.split("/") for each in declared_streams(seeds=20, most=600)]
    faults = {part[2] for part in parts if part[1] in ("unit", "stuck", "missing")}

    assert {"abrupt", "passing"} == faults
    assert {"unit", "stuck", "missing"} == {part[1] for part in parts if part[2] == "passing"}


def test_a_regime_chosen_from_a_table_is_small() -> None:
    """A larger one would use up the rows."""
    parts = [
        stream.scenario.split("/")
        for stream in declared_streams(seeds=20, most=600, tables=tuple(TABLES))
        if stream.table
    ]

    assert 0.5 == max(float(part[3]) for part in parts if part[1] in ("covariate", "prior"))
    assert 2.0 == max(float(part[3]) for part in parts if part[1] == "concept")


def test_a_table_gives_as_many_windows_as_it_has_rows_for() -> None:
    """Windows keep their length; the shift is put into the table's rows."""
    setting, stream = Setting(rows=2000, windows=10), Stream("bike/harmless/abrupt/1", 1)
    short = drawn(stream, setting, table(1500))

    assert "bike" == stream.table
    assert 7 == len(course_of(short, setting, source="bike").laps)
    assert 10 == len(course_of(drawn(stream, setting, table(5000)), setting, source="b").laps)
    spare = short.numbers("z")
    assert 1.0 == pytest.approx(spare[700:].mean() - spare[:600].mean(), abs=0.2)


def test_shuffled_labels_are_the_same_labels_on_other_rows() -> None:
    """The control keeps inputs and labels, and cuts every tie between them."""
    setting = Setting(rows=4000)
    plain, control = (
        drawn(Stream(f"rents/{kind}/abrupt/0", 3), setting) for kind in ("none", "shuffled")
    )
    y, x = control.numbers("y"), control.numbers("x1")

    assert np.array_equal(plain.numbers("x1"), x)
    assert sorted(plain.numbers("y")) == sorted(y)
    assert 0.0 == pytest.approx(np.corrcoef(x, y)[0, 1], abs=0.05)
    assert 0.5 < np.corrcoef(x, plain.numbers("y"))[0, 1]


def test_the_quick_streams_hold_every_base() -> None:
    """What CI runs covers both tasks, faults that pass, and every shape."""
    parts = [stream.scenario.split("/") for stream in quick_streams()]

    assert set(BASES) == {part[0] for part in parts}
    assert {"abrupt", "gradual", "recurring", "passing"} == {part[2] for part in parts}
