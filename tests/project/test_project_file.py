"""Loading the project file: every key, every mistake, by file and line."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from modelwarrant.errors import ProjectError
from modelwarrant.evaluation.losses import DECISION_METRICS, DEFAULT_METRIC
from modelwarrant.project import METRICS, load, parse_project
from modelwarrant.windows import Bounds, Feature, parse_bounds

FULL = """\
model: electricity
task: classification            # or regression
source: data/electricity.csv.gz
target: class
positive: 1
time: timestamp
features:
  nswprice: {kind: number, range: [0, null]}
  period: {kind: number, range: [0, 1]}
  state: {kind: category, categories: [NSW, "02", 3], missing: true}
windows: {reference: 1996-05-07..1996-09-01, current: 1996-09-01..1996-11-01, final: 0.3,
  train: both, season: 7d}
recipe: {model: hist_gradient_boosting, seed: 7, parameters: {learning_rate: 1e-1, max_iter: 50}}
metric: log_loss
slices: [period]
policy: policy.yaml
owner: team-energy
purpose: price of tomorrow
review_by: 2027-01-31
monitor_every: 7d
label_delay: 36h
"""

LEAST = """\
model: m
task: regression
source: rows.csv
target: y
features:
  x: {kind: number}
windows: {reference: 0:100, current: 100:200}
"""

Refused = Callable[[str], str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Return what a broken file's error says."""

    def message(text: str) -> str:
        with pytest.raises(ProjectError) as caught:
            parse_project(text.encode(), path=tmp_path / "warrant.yaml")
        return str(caught.value)

    return message


def test_every_key_is_read(tmp_path: Path) -> None:
    """The file of the interface's page loads, with all it declares."""
    (tmp_path / "policy.yaml").write_text("rows: []\n")
    path = tmp_path / "warrant.yaml"
    path.write_text(FULL)

    project = load(path)

    assert ("electricity", "classification", "class") == (
        project.model,
        project.task,
        project.target,
    )
    assert "data/electricity.csv.gz" == project.source
    assert ("1", "integer", None) == (project.positive, project.class_kind, project.classes)
    assert "timestamp" == project.time
    assert (
        Feature(name="nswprice", kind="number", range=(0.0, None)),
        Feature(name="period", kind="number", range=(0.0, 1.0)),
        Feature(name="state", kind="category", categories=("NSW", "02", "3"), missing=True),
    ) == project.features
    assert parse_bounds("1996-05-07..1996-09-01") == project.windows.reference
    assert parse_bounds("1996-09-01..1996-11-01") == project.windows.current
    assert (0.3, "both") == (project.windows.final, project.windows.train)
    assert timedelta(days=7) == project.windows.season
    assert ("hist_gradient_boosting", 7) == (project.recipe.model, project.recipe.seed)
    assert {"learning_rate": 0.1, "max_iter": 50} == project.recipe.parameters
    assert ("log_loss", ("period",)) == (project.metric, project.slices)
    assert tmp_path / "policy.yaml" == project.policy
    assert ("team-energy", "price of tomorrow") == (project.owner, project.purpose)
    assert date(2027, 1, 31) == project.review_by
    assert (timedelta(days=7), timedelta(hours=36)) == (project.monitor_every, project.label_delay)
    assert tmp_path == project.base


def test_what_is_absent_has_its_default(tmp_path: Path) -> None:
    """Seven keys are enough."""
    project = parse_project(LEAST.encode(), path=tmp_path / "warrant.yaml")

    assert ("squared_error", "hist_gradient_boosting", 0) == (
        project.metric,
        project.recipe.model,
        project.recipe.seed,
    )
    assert (0.3, "both", None) == (
        project.windows.final,
        project.windows.train,
        project.windows.season,
    )
    assert (None, None, ()) == (project.policy, project.time, project.slices)


def test_the_metrics_are_those_of_the_evaluation() -> None:
    """The names and defaults are repeated here, so they are compared here."""
    assert dict(DECISION_METRICS) == METRICS
    assert {task: names[0] for task, names in METRICS.items()} == dict(DEFAULT_METRIC)


def test_the_shape_of_the_mapping_does_not_matter(tmp_path: Path) -> None:
    """Block and flow style, and comments, say the same."""
    block = LEAST.replace(
        "windows: {reference: 0:100, current: 100:200}",
        "windows:\n  reference: 0:100  # rows\n  current: 100:200",
    )

    path = tmp_path / "warrant.yaml"

    assert parse_project(LEAST.encode(), path=path) == parse_project(block.encode(), path=path)


@pytest.mark.parametrize(
    ("label", "text", "kind"),
    [
        ("1", "1", "integer"),
        ('"1"', "1", "text"),
        ("true", "true", "boolean"),
        ("True", "true", "boolean"),
        ("yes", "yes", "text"),
        ("No", "No", "text"),
        ('">50K"', ">50K", "text"),
        ("1.0", "1.0", "text"),
        ("010", "010", "text"),
        ("2013-01-01", "2013-01-01", "text"),
    ],
)
def test_a_label_is_the_text_that_was_written(
    tmp_path: Path, label: str, text: str, kind: str
) -> None:
    """1 and "1" are one label; yes is a word, whatever YAML 1.1 takes it for."""
    project = parse_project(
        LEAST.replace("regression", f"classification\npositive: {label}").encode(),
        path=tmp_path / "warrant.yaml",
    )

    assert (text, kind) == (project.positive, project.class_kind)


def test_a_column_may_be_called_no(tmp_path: Path) -> None:
    """Names keep their text where YAML would read true, false, null or a number."""
    text = LEAST.replace("x: {kind", "No: {kind: number}\n  1: {kind: number}\n  null: {kind")

    project = parse_project(text.encode(), path=tmp_path / "warrant.yaml")

    assert ["No", "1", "null"] == [feature.name for feature in project.features]


@pytest.mark.parametrize(("train", "expected"), [("current", "current"), ("both", "both")])
def test_train_names_the_rows(tmp_path: Path, train: str, expected: str) -> None:
    """The two words are kept."""
    text = LEAST.replace("current: 100:200", f"current: 100:200, train: {train}")

    assert expected == parse_project(text.encode(), path=tmp_path / "w.yaml").windows.train


def test_train_may_be_a_window_of_its_own(tmp_path: Path) -> None:
    """Bounds are bounds."""
    text = LEAST.replace("current: 100:200", "current: 100:200, train: 0:50")

    project = parse_project(text.encode(), path=tmp_path / "w.yaml")

    assert Bounds("rows", 0, 50) == project.windows.train


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: m", "modle: m", r"1: the project: unknown key 'modle'; did you mean 'model'\?"),
        (
            "model: m",
            "model: m\nzzz: 1",
            r"2: the project: unknown key 'zzz'; valid keys are model,",
        ),
        ("model: m", "model: m\nmodel: n", r"2: the project: the key 'model' stands twice"),
        ("model: m", "model: ../m", r"1: model '\.\./m': at most 63"),
        ("model: m", "model: [m]", r"1: model must be a text"),
        ("model: m", "model:", r"1: model must be a text"),
        ("regression", "regresion", r"2: task is 'regresion' \(did you mean 'regression'\?\)"),
        ("target: y\n", "", r"1: the key 'target' is missing"),
        ("target: y", "target: x", r"4: the target 'x' is also declared as a feature"),
        ("target: y", "target: y\nclasses: [a, b]", r"5: classes is for classification"),
        ("kind: number", "kind: numeric", r"6: feature 'x': kind is 'numeric'"),
        ("kind: number", "knd: number", r"6: feature 'x': unknown key 'knd'; did you mean 'kind'"),
        ("{kind: number}", "number", r"6: feature 'x' must be a mapping"),
        ("{kind: number}", "{missing: true}", r"6: feature 'x' has no kind"),
        ("kind: number", "kind: number, missing: maybe", r"6: feature 'x': missing must be true"),
        ("kind: number", "kind: number, range: [2, 1]", r"6: feature 'x': range \[2\.0, 1\.0\] is"),
        (
            "kind: number",
            "kind: number, range: [1]",
            r"6: feature 'x': range is \[lowest, highest\]",
        ),
        ("kind: number", "kind: number, range: 1", r"6: feature 'x': range must be a list"),
        ("kind: number", "kind: number, range: [a, 1]", r"6: feature 'x': range must be a number"),
        ("kind: number", "kind: category, range: [0, 1]", r"6: feature 'x': only a number has"),
        ("kind: number", "kind: number, categories: [a]", r"6: feature 'x': only a category has"),
        (
            "kind: number",
            "kind: category, categories: [1, '1']",
            r"6: feature 'x': the category '1' stands twice",
        ),
        (
            "  x: {kind: number}\n",
            "  x: {kind: number}\n  x: {kind: time}\n",
            r"7: features: the key",
        ),
        (
            "x: {kind: number}",
            "__order: {kind: number}",
            r"6: feature '__order': the name is reserved",
        ),
        ("features:\n  x: {kind: number}", "features: {}", r"5: features is empty"),
        ("100:200", "100:200, finl: 0.3", r"7: windows: unknown key 'finl'; did you mean 'final'"),
        ("100:200", "2013", r"7: windows: current: window '2013' cannot be read: write A\.\.B"),
        ("100:200", "50:200", r"7: windows: current 50:200 overlaps reference 0:100"),
        ("100:200", "100:200, final: 1.5", r"7: windows: final is 1\.5; a share lies between"),
        ("100:200", "100:200, final: most", r"7: windows: final must be a number"),
        ("100:200", "100:200, train: all", r"7: windows: train is current, both or a window"),
        ("100:200", "100:200, season: week", r"7: windows: season: 'week' is no period"),
        (
            "100:200",
            "last 30d",
            r"7: the window 'last 2592000s' is cut along time, but there is no",
        ),
        (
            "0:100, current",
            "a..b, current",
            r"7: windows: reference: .*'a' is not an ISO 8601 time",
        ),
        ("reference: 0:100, ", "", r"7: windows: the key 'reference' is missing"),
        (
            "target: y",
            "target: y\nmetric: log_loss",
            r"5: metric is 'log_loss'; it must be one of sq",
        ),
        ("target: y", "target: y\nslices: [z]", r"5: slices: 'z' is no feature"),
        ("target: y", "target: y\nslices: [x, x]", r"5: slices: 'x' stands twice"),
        ("target: y", "target: y\nslices: x", r"5: slices must be a list"),
        ("target: y", "target: y\npolicy: p.yaml", r"5: policy 'p\.yaml': no such file beside"),
        ("target: y", "target: y\nrecipe: {model: forest}", r"5: recipe: model is 'forest'"),
        ("target: y", "target: y\nrecipe: {seed: 1}", r"5: recipe has no model"),
        ("target: y", "target: y\nrecipe: {model: linear, seed: -1}", r"5: recipe: seed must lie"),
        (
            "target: y",
            "target: y\nrecipe: {model: linear, seed: x}",
            r"5: recipe: seed must be a whole",
        ),
        (
            "target: y",
            "target: y\nrecipe: {model: linear, parameters: {a: .inf}}",
            r"5: recipe: parameters\.a is '\.inf'; quote it",
        ),
        ("target: y", "target: y\nreview_by: soon", r"5: review_by is 'soon'; write a day such as"),
        ("target: y", "target: y\nmonitor_every: 0d", r"5: monitor_every: '0d' is no period"),
        ("target: y", "target: y\ntime: y", r"5: time 'y' is the target, too"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(
    refused: Refused, old: str, new: str, message: str
) -> None:
    """Each mistake has one sentence that says what to write instead."""
    assert old in LEAST

    text = refused(LEAST.replace(old, new, 1))

    assert re.search(rf"warrant\.yaml:{message}", text), text


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("classes: [a]", "classes needs at least two different labels"),
        ("classes: [a, b, a]", "the label 'a' stands twice"),
        ("classes: a", "classes must be a list"),
        ("classes: [a, b]\npositive: c", "positive 'c' is not one of a, b"),
        ("classes: [a, b, c]\npositive: a", "positive is for two classes; there are 3"),
    ],
)
def test_labels_that_do_not_fit_are_named(refused: Refused, extra: str, message: str) -> None:
    """Classes are at least two, and the positive one is one of two."""
    assert message in refused(LEAST.replace("regression", f"classification\n{extra}"))


def test_all_mistakes_are_named_at_once(refused: Refused) -> None:
    """A person corrects a file in one go; the lines are in order."""
    text = refused(LEAST.replace("regression", "x").replace("kind", "knd").replace("100:200", "a"))

    assert ["2", "6", "6", "7"] == [line.split(":")[1] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"- a\n- b\n", "warrant.yaml:1: the project must be a mapping"),
        (b"model: [a\ntask: b\n", "warrant.yaml:2: not YAML"),
        (b"model: m\n\tx: 1\n", "warrant.yaml:2: not YAML"),
        (b"model: m\nowner: >50K\n", "warrant.yaml:2: not YAML"),
        (b"model: m\n---\nmodel: n\n", "warrant.yaml:2: not YAML"),
        (b"model: m\ntask: \xff\n", "warrant.yaml:2: not UTF-8"),
        (b"a: &x [1]\nb: *x\n", "aliases (&, *) are not read"),
        (b"a: &x [*x]\n", "aliases (&, *) are not read"),
        (b"model: \0\n", "not YAML"),
        (b"#" * (1 << 21), "longer than 1 MiB"),
    ],
)
def test_what_is_no_project_file_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    """Broken YAML, other encodings, aliases and huge files each have their message."""
    path = tmp_path / "warrant.yaml"
    path.write_bytes(data)

    with pytest.raises(ProjectError) as caught:
        load(path)

    assert message in str(caught.value)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """A file of brackets ends in an error of ours."""
    with pytest.raises(ProjectError):
        parse_project(b"a: " + b"[" * 100_000, path=tmp_path / "w.yaml")


def test_an_absent_file_says_how_to_write_one(tmp_path: Path) -> None:
    """The first command is named."""
    with pytest.raises(ProjectError, match="`warrant init DATA --target COLUMN` writes one"):
        load(tmp_path / "warrant.yaml")


def test_a_folder_is_no_project_file(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(ProjectError, match="cannot be read"):
        load(tmp_path)


def test_the_schema_takes_classes_from_the_file(tmp_path: Path) -> None:
    """Labels keep the order of the file."""
    text = LEAST.replace("regression", "classification\nclasses: [b, a]")

    schema = parse_project(text.encode(), path=tmp_path / "w.yaml").schema()

    assert (("b", "a"), "text", "y") == (schema.classes, schema.class_kind, schema.target)


def test_the_schema_asks_for_classes_that_the_file_does_not_list(tmp_path: Path) -> None:
    """Without a list, the caller gives what it found in the data."""
    text = LEAST.replace("regression", "classification\npositive: 1")
    project = parse_project(text.encode(), path=tmp_path / "w.yaml")

    assert ("0", "1") == project.schema(classes=["0", "1"]).classes
    with pytest.raises(ProjectError, match="the classes of 'y' are unknown; list them"):
        project.schema()
    with pytest.raises(ProjectError, match="positive '1' is not one of"):
        project.schema(classes=["a", "b"])


def test_an_estimator_of_ones_own_is_named_by_import_path(tmp_path: Path) -> None:
    """A module and a name, with parameters of every JSON type."""
    text = (
        LEAST + 'recipe: {model: "own.models:Net", parameters: {a: [1, 2.5], b: {c: null, d: "1"}}}'
    )

    recipe = parse_project(text.encode(), path=tmp_path / "w.yaml").recipe

    assert "own.models:Net" == recipe.model
    assert {"a": [1, 2.5], "b": {"c": None, "d": "1"}} == recipe.parameters
