"""The stages of the experiment: streams, scores, profiles, each called as KFP calls it."""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from modelwarrant.profiles import WindowProfile, profile_window
from modelwarrant.records import BacktestScore, BacktestSummary, StreamTruth
from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.sources import artifacts, load_row_group, load_window, save_window
from modelwarrant.windows import window_digest


class Place:
    """A folder of artifacts, in which stages are called one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(
        self,
        stage: str,
        parameters: Mapping[str, Any],
        inputs: Mapping[str, str | Sequence[str]],
        outputs: Sequence[str] = (),
        values: Sequence[str] = (),
    ) -> int:
        """Call a stage; artifacts are named by their files, a list of them by several."""
        uris = {
            name: [given] if isinstance(given, str) else given for name, given in inputs.items()
        }
        document = {
            "inputs": {
                "parameterValues": dict(parameters),
                "artifacts": {
                    name: {"artifacts": [{"uri": str(self.folder / file)} for file in files]}
                    for name, files in uris.items()
                },
            },
            "outputs": {
                "artifacts": {
                    name: {"artifacts": [{"uri": str(self.folder / name), "metadata": {}}]}
                    for name in outputs
                },
                "parameters": {
                    name: {"outputFile": str(self.folder / f"{name}.txt")} for name in values
                },
                "outputFile": str(self.folder / "executor_output.json"),
            },
        }
        module = importlib.import_module(f"components.{stage}.run")
        return int(module.main(["--executor-input", json.dumps(document)]))

    def value(self, name: str) -> str:
        """Return an output parameter."""
        return (self.folder / f"{name}.txt").read_text()

    def read(self, name: str) -> bytes:
        """Return an output artifact."""
        return (self.folder / name).read_bytes()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder."""
    return Place(tmp_path)


def draw(place: Place, **changes: Any) -> int:
    """Call simulate_stream."""
    parameters = {"scenario": "rents/concept", "seed": 3.0, "rows": 6000.0, "onset": 0.5}
    return place.call(
        "simulate_stream", {**parameters, **changes}, {}, ("stream", "truth"), ("digest",)
    )


def replay(place: Place, rule: str) -> int:
    """Call replay_policy on the drawn stream, with linear models."""
    return place.call(
        "replay_policy",
        {
            "rule": rule,
            "policy": "",
            "recipe": {"model": "linear"},
            "windows": 3.0,
            "final": 0.3,
            "digest": place.value("digest"),
        },
        {"stream": "stream", "truth": "truth"},
        ("score", "metrics"),
        ("regret",),
    )


def test_a_stream_is_drawn_as_the_library_draws_it(place: Place) -> None:
    """Whole numbers that travelled as doubles give the same rows."""
    assert 0 == draw(place)
    window, truth = simulate(parse_scenario("rents/concept"), rows=6000, seed=3)

    assert window_digest(window) == window_digest(load_window(place.folder / "stream"))
    assert window_digest(window) == place.value("digest")
    assert truth == StreamTruth.from_bytes(place.read("truth"), name="truth")


def test_an_unknown_scenario_ends_with_2_and_leaves_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the scenario; no half stream is left."""
    assert 2 == draw(place, scenario="rents/concpet")
    assert "did you mean 'concept'" in capsys.readouterr().err
    assert not (place.folder / "stream").exists()


def test_a_rule_is_scored_on_the_stream(place: Place) -> None:
    """The score names scenario, seed and rule, and its figures show in the metrics."""
    draw(place)

    assert 0 == replay(place, "always")
    score = BacktestScore.from_bytes(place.read("score"), name="score")
    shown = json.loads(place.read("executor_output.json"))["artifacts"]["metrics"]
    assert ("rents/concept/abrupt/1", 3, "always") == (score.scenario, score.seed, score.rule)
    assert score.trainings == shown["artifacts"][0]["metadata"]["trainings"] == 1


def test_an_unknown_rule_ends_with_2(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists the rules."""
    draw(place)

    assert 2 == replay(place, "sometimes")
    assert "metric-only" in capsys.readouterr().err


def test_scores_become_a_table_a_summary_and_a_page(place: Place) -> None:
    """All three hold every rule that was run."""
    draw(place)
    for rule in ("always", "never"):
        replay(place, rule)
        (place.folder / "score").rename(place.folder / rule)
    code = place.call(
        "collect_scores", {}, {"scores": ["never", "always"]}, ("table", "summary", "page")
    )

    assert 0 == code
    assert {"always", "never"} == set(pq.read_table(place.folder / "table")["rule"].to_pylist())
    summary = BacktestSummary.from_bytes(place.read("summary"), name="summary")
    assert 1 == summary.streams
    assert "always promote" in place.read("page").decode()


def test_no_score_ends_with_2(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty fan-in is an error, not an empty page."""
    assert 2 == place.call("collect_scores", {}, {"scores": []}, ("table", "summary", "page"))
    assert "no score" in capsys.readouterr().err


@pytest.fixture
def parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A window of three row groups, its parts profiled."""
    monkeypatch.setattr(artifacts, "_ROW_GROUP", 400)
    window, _ = simulate(parse_scenario("loans/missing/gradual"), rows=1000, seed=1)
    save_window(place.folder / "window", window)
    place.call(
        "list_row_groups", {"digest": ""}, {"window": "window"}, ("edges",), ("groups", "rows")
    )
    for group in json.loads(place.value("groups")):
        place.call(
            "profile_row_group",
            {"group": float(group), "digest": ""},
            {"window": "window", "edges": "edges"},
            ("profile",),
        )
        (place.folder / "profile").rename(place.folder / f"part-{group}")
    return place


def test_the_profiles_of_parts_add_to_that_of_the_whole(parts: Place) -> None:
    """Counted part by part or at once along the same edges: the same bytes, in any order."""
    code = parts.call(
        "merge_profiles",
        {"rows": parts.value("rows")},
        {"profiles": ["part-2", "part-0", "part-1"]},
        ("profile",),
        ("digest",),
    )
    edges = WindowProfile.from_bytes(parts.read("edges"), name="edges").edges
    whole = profile_window(load_window(parts.folder / "window"), edges=edges)

    assert 0 == code
    assert ("[0, 1, 2]", "1000") == (parts.value("groups"), parts.value("rows"))
    assert whole.to_bytes() == parts.read("profile")


@pytest.mark.parametrize("profiles", [["part-0", "part-1"], ["part-0", "part-1", "part-1"]])
def test_a_part_that_is_missing_or_doubled_is_refused(
    parts: Place, profiles: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The sum must have the window's rows."""
    code = parts.call(
        "merge_profiles", {"rows": "1000"}, {"profiles": profiles}, ("profile",), ("digest",)
    )

    assert 2 == code
    assert "a part is missing or stands twice" in capsys.readouterr().err


def test_a_row_group_that_is_not_there_is_refused(
    parts: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says how many there are."""
    code = parts.call(
        "profile_row_group",
        {"group": 7, "digest": ""},
        {"window": "window", "edges": "edges"},
        ("profile",),
    )

    assert 2 == code
    assert "3 row groups, none with number 7" in capsys.readouterr().err


def test_a_row_group_is_read_alone(parts: Place) -> None:
    """The last group holds the rows that are left."""
    assert 200 == len(load_row_group(parts.folder / "window", 2))
