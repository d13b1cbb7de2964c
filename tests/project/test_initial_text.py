"""The text that ``warrant init`` writes: it loads, and says what was guessed."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import ProjectError
from modelwarrant.project import (
    initial_project_text,
    load,
    model_name,
    parse_period,
    parse_project,
    period_text,
    write_project,
)
from modelwarrant.sources import Inferred, LeftOut, infer
from modelwarrant.windows import Bounds, Feature, FeatureSchema

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).filter(
    lambda name: name != "__order"
)
LEVELS = st.lists(NAMES, min_size=2, max_size=30, unique=True).map(tuple)
BOUNDS = st.one_of(st.none(), st.floats(-1e9, 0.0))


@st.composite
def features(draw: st.DrawFn) -> Feature:
    """Any feature."""
    kind = draw(st.sampled_from(["number", "category", "boolean", "time"]))
    return Feature(
        name=draw(NAMES),
        kind=kind,  # type: ignore[arg-type]  # one of the four kinds
        range=draw(st.none() | st.tuples(BOUNDS, st.none() | st.floats(0.0, 1e9)))
        if kind == "number"
        else None,
        categories=draw(st.none() | LEVELS) if kind == "category" else None,
        missing=draw(st.booleans()),
    )


@st.composite
def guesses(draw: st.DrawFn) -> Inferred:
    """Any guess of a classification, with any names and notes."""
    kept = draw(st.lists(features(), min_size=1, max_size=5, unique_by=lambda f: f.name))
    names = {feature.name for feature in kept}
    target, time = draw(
        st.lists(NAMES.filter(lambda n: n not in names), min_size=2, max_size=2, unique=True)
    )
    kind, classes = draw(
        st.one_of(
            st.tuples(st.just("text"), LEVELS),
            st.tuples(st.just("integer"), st.just(("0", "1", "10"))),
            st.tuples(st.just("boolean"), st.just(("false", "true"))),
        )
    )
    start = draw(st.integers(0, 10**15))
    return Inferred(
        schema=FeatureSchema(
            features=tuple(kept),
            task="classification",
            target=target,
            classes=classes,
            class_kind=kind,
            positive=classes[0] if len(classes) == 2 else None,
            time=time,
        ),
        rows=draw(st.integers(1, 10**9)),
        notes={"task": draw(NAMES), "time": draw(NAMES), "windows": draw(NAMES)},
        features={name: draw(NAMES) for name in names},
        left_out=tuple(
            LeftOut(draw(NAMES), draw(NAMES), draw(st.none() | features()), draw(st.booleans()))
            for _ in range(draw(st.integers(0, 3)))
        ),
        reference=Bounds("time", start, start + 10**9),
        current=Bounds("time", start + 10**9, start + 2 * 10**9),
        final=0.3,
        season=draw(st.none() | st.integers(1, 400).map(lambda days: timedelta(days=days))),
    )


@settings(max_examples=150, deadline=None)
@given(inferred=guesses(), source=NAMES)
def test_what_is_written_is_what_is_read(inferred: Inferred, source: str) -> None:
    """Whatever columns and levels are called, the text loads as the same schema and windows."""
    text = initial_project_text(inferred, source=source)

    project = parse_project(text.encode(), path=Path("/nowhere/warrant.yaml"))

    assert inferred.schema == project.schema()
    assert source == project.source
    assert (inferred.reference, inferred.current, inferred.season) == (
        project.windows.reference,
        project.windows.current,
        project.windows.season,
    )


@pytest.fixture
def inferred() -> Inferred:
    """The guess of a small table with a leak, a counter and a category."""
    rng = np.random.default_rng(7)
    delay = np.round(rng.exponential(30, 4000) - 15)
    return infer(
        pa.table(
            {
                "id": np.arange(4000),
                "delay": delay,
                "carrier": rng.choice(["AA", "9E", "No"], 4000),
                "share": rng.random(4000),
                "late": (delay > 15).astype(int),
            }
        ),
        target="late",
    )


def test_each_guess_stands_beside_its_key(inferred: Inferred) -> None:
    """A stranger sees kinds, levels, the windows and what each rests on."""
    lines = initial_project_text(inferred, source="data/late.csv").splitlines()

    assert "model: late" in lines
    assert any(line.startswith("classes: [0, 1] ") for line in lines)
    assert '  carrier: {kind: category, categories: ["9E", AA, "No"]}' in lines
    assert any(line.startswith("  share: {kind: number, range: [0, 1]} ") for line in lines)
    assert any(line.startswith("  reference: 0:1700 ") for line in lines)
    assert "  current: 1700:3400" in lines


def test_what_is_left_out_can_be_put_back(inferred: Inferred) -> None:
    """A leak and a counter are commented features with their reasons."""
    text = initial_project_text(inferred, source="data/late.csv")

    assert (
        "  # delay: {kind: number}                    # alone explains 100.0% of the errors" in text
    )
    assert "  # id: {kind: number, range: [0, null]}     # counts the rows" in text
    put_back = text.replace("  # delay: {kind", "  delay: {kind")
    project = parse_project(put_back.encode(), path=Path("/nowhere/warrant.yaml"))
    assert "delay" in [feature.name for feature in project.features]


def test_the_optional_keys_are_valid_once_uncommented(inferred: Inferred) -> None:
    """Every commented key of the file is one that loads."""
    text = initial_project_text(inferred, source="data/late.csv")
    for key in ("slices", "owner", "purpose", "review_by", "monitor_every", "label_delay"):
        assert f"# {key}: " in text
        text = text.replace(f"# {key}: ", f"{key}: ")

    project = parse_project(text.encode(), path=Path("/nowhere/warrant.yaml"))

    assert ("team-name", timedelta(days=30)) == (project.owner, project.label_delay)


def test_long_lists_of_levels_are_broken_into_lines() -> None:
    """No line of features is wider than a screen, and the text loads."""
    rng = np.random.default_rng(7)
    levels = [f"a rather long level {i:02}" for i in range(20)]
    table = pa.table({"c": rng.choice(levels, 500), "y": rng.normal(size=500)})

    text = initial_project_text(infer(table, target="y"), source="x.csv")

    assert max(len(line) for line in text.splitlines()) <= 100
    project = parse_project(text.encode(), path=Path("/nowhere/warrant.yaml"))
    assert tuple(levels) == project.features[0].categories


def test_features_alone_make_no_project(inferred: Inferred) -> None:
    """Without a target there is nothing to train."""
    bare = infer(pa.table({"x": np.random.default_rng(7).normal(size=99)}), target=None)

    with pytest.raises(ValueError, match="needs a target"):
        initial_project_text(bare, source="x.csv")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("data/day.csv.gz", "day"),
        ("s3://bucket/in/2013-*.parquet", "2013"),
        ("https://host.example/export?id=7", "export"),
        ("sklearn://breast_cancer", "breast-cancer"),
        ("*.csv", "model"),
        ("Ümläut.csv", "ml-ut"),
        ("x" * 100, "x" * 63),
    ],
)
def test_a_model_is_named_after_its_source(source: str, expected: str) -> None:
    """The name is one that the store and Kubernetes take."""
    assert expected == model_name(source)


def test_a_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    """A person's corrections are not lost by a second init."""
    path = tmp_path / "warrant.yaml"
    write_project(path, "model: one\n")

    with pytest.raises(ProjectError, match="exists; give --force"):
        write_project(path, "model: two\n")

    assert "model: one\n" == path.read_text()
    write_project(path, "model: two\n", force=True)
    assert "model: two\n" == path.read_text()
    assert ["warrant.yaml"] == [item.name for item in tmp_path.iterdir()]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(ProjectError, match=r"none/warrant\.yaml: cannot be written"):
        write_project(tmp_path / "none" / "warrant.yaml", "model: m\n")


def test_a_written_file_loads(tmp_path: Path, inferred: Inferred) -> None:
    """From guess to project through a real file."""
    path = tmp_path / "warrant.yaml"
    write_project(path, initial_project_text(inferred, source="late.csv"))

    assert inferred.schema == load(path).schema()


@given(st.integers(1, 36_525 * 86_400))
def test_a_period_is_written_as_it_is_read(seconds: int) -> None:
    """Every whole number of seconds up to a hundred years survives."""
    period = timedelta(seconds=seconds)

    assert period == parse_period(period_text(period))


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "1.5h", "7 days", "9999999d", "٧d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    """Only a whole number and a unit."""
    with pytest.raises(ValueError, match="no period"):
        parse_period(text)
