"""``warrant labels`` and ``warrant monitor`` on a laptop, from logged predictions to the ledger."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from modelwarrant.registry.acts import acts
from tests.e2e.conftest import Laptop
from tests.monitoring.season import MODEL, Season, copied, rows


def ops(season: Season) -> list[str]:
    """Return the actions in the ledger, the oldest first."""
    return [each.act.action for each in acts(season.store, season.state)][::-1]


def test_a_model_that_nobody_called_is_left_alone(season: Season) -> None:
    """None, with that reason; a second pass over nothing new adds nothing to the ledger."""
    first = season.watch()
    second = season.watch()

    assert ("none", "few-predictions", True) == (first["action"], first["rule"], first["new"])
    assert "nobody called" in first["reason"]
    assert (first["pass"], False) == (second["pass"], second["new"])
    assert ["none"] == ops(season)


def test_a_model_that_was_called_once_is_left_alone(season: Season) -> None:
    """One row is constant in every column, and that is no data fault."""
    season.answer(rows(1, seed=1), prefix="a")

    found = season.watch()

    assert ("none", "unknown") == (found["action"], found["drift"])


def test_a_concept_shift_asks_for_a_retraining_once(season: Season) -> None:
    """The labels turned around; while the cooldown lasts nothing more is asked for."""
    turned = rows(900, seed=2, turned=True)
    ids = season.answer(turned, prefix="a")
    added = season.label(ids, turned["busy"])
    first = season.laptop.run("monitor", MODEL, "--no-start", "--json")
    season.answer(rows(5, seed=3), prefix="b")
    second = season.watch()

    assert (900, True) == (added["labels"], added["new"])
    assert 21 == first.returncode
    assert "no covariate cause" in json.loads(first.stdout)["reason"]
    assert ("none", "degraded-cooldown") == (second["action"], second["rule"])
    assert ["retrain", "none"] == ops(season)


def test_a_shift_without_labels_asks_for_labels(season: Season) -> None:
    """A sample of the window; torn files, gone versions and stray labels are counted beside."""
    season.answer(rows(1500, seed=4, hotter=6.0), prefix="a")
    season.answer(rows(7, seed=5), prefix="g", version=99)
    season.write(b"PAR1 torn", day=datetime.now(UTC).date().isoformat())
    season.label(["nobody-knows"], [1])

    found = season.watch()

    asked = Path(found["sample"]).read_text().splitlines()
    assert ("label", "drift-unsettled") == (found["action"], found["rule"])
    assert found["labels_missing"] == len(asked) - 1
    assert "temperature" in found["reason"]
    assert ({"99": 7}, 1) == (found["log"]["gone"], len(found["log"]["torn"]))
    assert 1 == found["labels"]["unknown_requests"]


def test_a_quiet_pass_states_what_the_window_is_expected_to_lose(season: Season) -> None:
    """Without a label, with every condition met; with labels the gap on the same rows."""
    data = rows(1500, seed=4)
    ids = season.answer(data, prefix="a")
    first = season.watch("--slo", "0.9")
    season.label(ids[:400], data["busy"][:400])
    second = season.watch()

    assert ("none", "quiet") == (first["action"], first["rule"])
    assert ("ok", "declared", 0.9) == tuple(
        first["estimate"][key] for key in ("level", "objective_source", "objective")
    )
    assert all(check["holds"] for check in first["estimate"]["checks"])
    assert (None, 400) == (first["realised"], second["realised"]["n_labels"])
    assert second["realised"]["lower"] < second["realised"]["estimated"]
    assert "reference" == second["estimate"]["objective_source"]


def test_labels_may_be_named_as_the_target(season: Season) -> None:
    """As they come out of the table that the model was trained from."""
    asked = rows(3, seed=9)
    ids = season.answer(asked, prefix="t")
    file = season.laptop.project / "outcomes.csv"
    asked.assign(request_id=ids)[["request_id", "busy"]].to_csv(file, index=False)

    assert 3 == season.laptop.json("labels", "add", str(file))["labels"]


def test_an_objective_that_is_missed_asks_for_labels(season: Season) -> None:
    """The same window, with a lower loss promised; the sample is what would settle it."""
    season.answer(rows(1500, seed=4), prefix="a")

    found = season.watch("--slo", "0.2")

    assert ("label", "estimate-below") == (found["action"], found["rule"])
    assert found["labels_missing"] == found["labels_asked"] > 0


def test_a_data_fault_holds(season: Season) -> None:
    """A column that went missing: no training and no promotion, and nothing else either."""
    broken = rows(1200, seed=6)
    broken["load"] = 50.0
    season.answer(broken, prefix="a")

    found = season.laptop.run("monitor", MODEL, "--json")

    assert 22 == found.returncode, found.stderr
    assert "load" in json.loads(found.stdout)["reason"]


def test_a_wrong_key_adds_no_label(season: Season) -> None:
    """The message names the columns that are there."""
    path = season.laptop.project / "labels.csv"
    path.write_text("id,label\na,1\n")

    found = season.laptop.run("labels", "add", str(path), "--key", "request_id")

    assert 2 == found.returncode
    assert "no column 'request_id'; they have id, label" in found.stderr
    assert [] == list(season.store.list(f"labels/{MODEL}/"))


@pytest.mark.slow
def test_a_bad_promotion_is_taken_back(season: Season) -> None:
    """A second version learnt the turned rule; the rule turns back, and labels show the harm."""
    laptop, first = season.laptop, season.state.production
    asked = laptop.json("run", "--current", "2024-06-01..2024-10-01", expect=None)
    laptop("approve", asked["request"], "--reason", "looks better", actor="grace")
    second = season.state.production
    back = rows(900, seed=7)
    season.label(season.answer(back, prefix="a"), back["busy"])

    found = season.watch()

    assert first != second
    assert ("rollback", first) == (found["action"], found["rolled_back_to"])
    assert first == season.state.production
    assert "none" == season.watch()["action"]


@pytest.mark.slow
def test_a_retraining_starts_one_run(season: Season) -> None:
    """It goes through the gate like any other; the next pass starts no second one."""
    turned = rows(900, seed=2, turned=True)
    season.label(season.answer(turned, prefix="a"), turned["busy"])
    path = season.laptop.project / "warrant.yaml"
    path.write_text(path.read_text().replace("2024-01-20..2024-06-01", "2024-06-01..2024-10-01"))

    first = season.laptop.run("monitor", MODEL)
    decided = len(season.state.decisions)
    second = season.laptop.run("monitor", MODEL)

    assert 21 == first.returncode, first.stderr
    assert "retrained: run" in first.stderr
    assert (2, 2) == (decided, len(season.state.decisions))
    assert "retrained" not in second.stderr


@pytest.mark.slow
def test_what_serving_logs_is_what_the_monitor_reads(season: Season) -> None:
    """Batches through the real service; labels name a request and a row of it."""
    turned = rows(600, seed=9, turned=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with service(season, address.rpartition(":")[2]):
        wait_until_ready(address)
        for batch in range(6):
            part = turned.iloc[100 * batch : 100 * (batch + 1)].drop(columns="busy")
            answer = httpx.post(
                f"{address}/predict",
                json={"rows": part.to_dict("records")},
                headers={"X-Request-Id": f"batch-{batch}"},
            )
            assert 200 == answer.status_code, answer.text
    places = [(f"batch-{row // 100}", row % 100) for row in range(600)]
    season.label([id for id, _ in places], turned["busy"], row=[row for _, row in places])

    found = season.watch()

    assert (600, 600) == (found["log"]["production"], found["labels"]["joined"])
    assert "retrain" == found["action"]


@contextmanager
def service(season: Season, port: str) -> Iterator[None]:
    """Serve production until the block ends; the log is written at the end."""
    environment = {**os.environ, "WARRANT_HOME": str(season.laptop.folder / "home")}
    started = subprocess.Popen(
        [sys.executable, "-m", "modelwarrant", "serve", MODEL, "--port", port],
        cwd=season.laptop.project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def wait_until_ready(address: str) -> None:
    """Return once the service answers."""
    for _ in range(200):
        with suppress(httpx.HTTPError):
            if 200 == httpx.get(f"{address}/readyz").status_code:
                return
        time.sleep(0.2)
    pytest.fail("the service did not become ready")


@pytest.mark.slow
def test_a_pass_that_is_killed_anywhere_is_made_up_for(approved: Laptop, tmp_path: Path) -> None:
    """Killed after ever longer times, the next pass records what an undisturbed one does."""
    season, calm = copied(approved, tmp_path / "killed"), copied(approved, tmp_path / "calm")
    turned, begin = rows(900, seed=2, turned=True), datetime.now(UTC)
    for each in (season, calm):
        each.label(each.answer(turned, prefix="a", at=begin), turned["busy"])
    environment = {**os.environ, "WARRANT_HOME": str(season.laptop.folder / "home")}
    kills = 0
    for place in range(14):
        started = subprocess.Popen(
            [sys.executable, "-m", "modelwarrant", "monitor", MODEL, "--no-start"],
            cwd=season.laptop.project,
            env={**environment, "WARRANT_ACTOR": "ada"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.35 * place)
        if started.poll() is not None:
            break
        started.send_signal(signal.SIGKILL)
        started.wait()
        kills += 1

    after, undisturbed = season.watch(), calm.watch()

    assert kills > 3
    assert ["retrain"] == ops(season)[:1]
    assert 1 == ops(season).count("retrain")
    [retrain] = [a for a in acts(season.store, season.state) if a.act.action == "retrain"]
    [other] = [a for a in acts(calm.store, calm.state) if a.act.action == "retrain"]
    assert other.act.evidence_digest == retrain.act.evidence_digest
    assert 900 == after["labels"]["joined"] == undisturbed["labels"]["joined"]
