"""The lifecycle as a person lives it, through the command line alone."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelwarrant.records import ShadowReport
from tests.e2e.conftest import Laptop
from tests.reports import samples


def copy_of(promoted: Laptop, folder: Path) -> Laptop:
    """Return a copy that a test may change."""
    shutil.copytree(promoted.folder, folder, dirs_exist_ok=True)
    return Laptop(folder)


def shadow_report(ran: Any) -> ShadowReport:
    """Return what a service would have seen of a run's candidate."""
    sample = samples.shadow_report()
    digests = {
        "production_digest": ran["baseline_digest"],
        "version_digest": ran["candidate_digest"],
    }
    return sample.model_copy(update={"model": "demand", **digests})


def test_the_first_model_waits_for_a_person(laptop: Laptop) -> None:
    """Nothing is in production, so the verdict is NEEDS_APPROVAL, and nothing is served."""
    ran = laptop.json("run", expect=10)

    assert ("NEEDS_APPROVAL", "first-model") == (ran["verdict"], ran["rule"])
    assert [ran["request"]] == [r["id"] for r in laptop.json("requests")["requests"]]
    assert laptop.json("status", "demand")["production"] is None
    assert all((laptop.project / page).is_file() for page in ran["reports"].values())


def test_who_asked_may_not_approve_unless_said_so(laptop: Laptop) -> None:
    """Self-approval needs its flag, and stands in the ledger."""
    request = laptop.json("run", expect=10)["request"]
    refused = laptop.run("approve", request, "--reason", "mine")

    assert 2 == refused.returncode
    assert "--self-approve" in refused.stderr or "self" in refused.stderr
    assert (
        "promoted"
        == laptop.json("approve", request, "--reason", "mine", "--self-approve")["outcome"]
    )
    assert "self" in laptop("history", "demand")


def test_a_rejection_ends_the_request(laptop: Laptop) -> None:
    """One rejection is enough, and the candidate can not be approved afterwards."""
    request = laptop.json("run", expect=10)["request"]
    laptop("reject", request, "--reason", "not now", actor="grace")

    assert 2 == laptop.run("approve", request, "--reason", "but", actor="hedy").returncode
    assert laptop.json("status", "demand")["production"] is None


def test_the_same_run_again_finds_the_pending_request(laptop: Laptop) -> None:
    """A second run goes on from finished stages, and asks nobody twice."""
    first = laptop.json("run", expect=10)
    second = laptop.json("run", expect=10)

    assert first["candidate_digest"] == second["candidate_digest"]
    assert {"train-model", "detect-drift"} <= {s["stage"] for s in second["stages"] if s["reused"]}


def test_a_better_candidate_after_a_concept_change_is_found(
    promoted: Laptop, tmp_path: Path
) -> None:
    """Both models are scored on both windows: better now, worse before; a person must choose.

    What serving saw of the candidate meanwhile is shown to that person.
    """
    laptop = copy_of(promoted, tmp_path)
    ran = laptop.json("run", "--current", "2024-06-01..2024-09-15", expect=10)
    unseen = laptop.json("show", ran["request"])
    seen = shadow_report(ran)
    place = laptop.project / ".warrant" / "shadow" / "demand" / ran["candidate_digest"][7:]
    place.mkdir(parents=True)
    (place / "pod-a.json").write_bytes(seen.to_bytes())
    shown = laptop.json("show", ran["request"])

    assert (None, seen.model_dump(mode="json")) == (unseen["shadow"], shown["shadow"])
    assert "Beside production" in (laptop.project / shown["page"]).read_text()
    assert "2,000 of the same rows, 97.5% answered alike" in laptop("show", ran["request"])
    assert ("better", "worse") == (ran["levels"]["current"], ran["levels"]["reference"])
    assert ran["gain"]["lower"] > 0
    done = laptop.json("approve", ran["request"], "--reason", "the rule turned", actor="grace")
    assert "promoted" == done["outcome"]
    assert done["version"] == laptop.json("status", "demand")["production"]["version"]


def test_no_change_is_no_gain(promoted: Laptop, tmp_path: Path) -> None:
    """A candidate from the same world is not shown to be better: HOLD, exit 11."""
    laptop = copy_of(promoted, tmp_path)
    ran = laptop.json("run", "--current", "2024-03-15..2024-06-01", expect=11)

    assert "HOLD" == ran["verdict"]
    assert ran["outcome"] == "held"


def test_an_identical_candidate_is_held(promoted: Laptop, tmp_path: Path) -> None:
    """The same window gives the same bytes, and nothing replaces itself."""
    laptop = copy_of(promoted, tmp_path)
    ran = laptop.json("run", expect=11)

    assert ("HOLD", "identical") == (ran["verdict"], ran["rule"])


def test_predictions_come_from_production(promoted: Laptop) -> None:
    """A file is scored with the promoted model, one answer a row."""
    answer = promoted.json("predict", "demand", "demand.csv")

    assert 7200 == len(answer["predictions"])
    assert promoted.json("status", "demand")["production"]["version"] == answer["version"]


def test_the_decision_replays_to_the_same_bytes(promoted: Laptop) -> None:
    """From the recorded evidence and policy, byte for byte."""
    version = promoted.json("status", "demand")["production"]["version"]
    told = promoted.json("policy", "replay", f"demand@{version}")

    assert told["is_identical"]


def test_what_if_asks_another_policy(promoted: Laptop, tmp_path: Path) -> None:
    """A stricter policy is tried on recorded evidence without being in force."""
    strict = tmp_path / "strict.yaml"
    strict.write_text(promoted("policy", "show").replace("min_labels: 500", "min_labels: 5000"))
    version = promoted.json("status", "demand")["production"]["version"]
    told = promoted.json("policy", "what-if", f"demand@{version}", "--policy", str(strict))

    assert ("NEEDS_APPROVAL", "HOLD") == (told["recorded"]["verdict"], told["tried"]["verdict"])


def test_reproduce_trains_the_same_digest(promoted: Laptop) -> None:
    """The manifest is enough to train the same bytes again."""
    version = promoted.json("status", "demand")["production"]["version"]

    assert promoted.json("reproduce", f"demand@{version}")["is_reproduced"]


def test_verify_is_clean_and_finds_one_flipped_byte(promoted: Laptop, tmp_path: Path) -> None:
    """Every entry and every blob is covered; the altered object is named."""
    promoted("verify", "demand")
    objects = sorted((promoted.project / ".warrant" / "m").rglob("*"))
    files = [path for path in objects if path.is_file()]
    missed = []
    for path in files:
        original = path.read_bytes()
        path.write_bytes(original[:-2] + bytes([original[-2] ^ 1]) + original[-1:])
        result = promoted.run("verify", "demand")
        path.write_bytes(original)
        name = path.relative_to(promoted.project / ".warrant").as_posix()
        if result.returncode != 2 or name not in result.stderr:
            missed.append((name, result.stderr))

    assert [] == missed
    promoted("verify", "demand")


def test_rollback_goes_to_a_former_production_version_only(
    promoted: Laptop, tmp_path: Path
) -> None:
    """Back to what was, with a reason; never to what was not."""
    laptop = copy_of(promoted, tmp_path)
    first = laptop.json("status", "demand")["production"]["version"]
    ran = laptop.json("run", "--current", "2024-06-01..2024-09-15", expect=10)
    laptop("approve", ran["request"], "--reason", "turned", actor="grace")

    assert 2 == laptop.run("rollback", "demand", "--to", "1", "--reason", "try").returncode
    laptop("rollback", "demand", "--to", str(first), "--reason", "complaints")
    assert first == laptop.json("status", "demand")["production"]["version"]
    laptop("verify", "demand")


def test_changed_reference_rows_are_refused_by_name(promoted: Laptop, tmp_path: Path) -> None:
    """Data that changed behind the production model's window ends the run, and says which."""
    laptop = copy_of(promoted, tmp_path)
    data = laptop.project / "demand.csv"
    lines = data.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("2024-04-01 00:00"))
    lines[place] = lines[place].replace("north", "south").replace("south", "north")
    fields = lines[place].split(",")
    fields[1] = "99.5"
    lines[place] = ",".join(fields)
    data.write_text("\n".join(lines) + "\n")
    result = laptop.run("run", "--current", "2024-06-01..2024-09-15")

    assert 2 == result.returncode
    assert "demand.csv" in result.stderr
    assert "2024-03-01..2024-06-01" in result.stderr


def test_an_unratified_policy_holds(promoted: Laptop, tmp_path: Path) -> None:
    """A changed policy decides nothing until somebody ratified it."""
    laptop = copy_of(promoted, tmp_path)
    text = laptop("policy", "show").replace("margin_ni: 0.01", "margin_ni: 0.02")
    (laptop.project / "mine.yaml").write_text(text)
    project = laptop.project / "warrant.yaml"
    project.write_text(project.read_text() + "policy: mine.yaml\n")
    window = ("--current", "2024-06-01..2024-09-15")

    assert "not-ratified" == laptop.json("run", *window, expect=11)["rule"]
    refused = laptop.run("policy", "ratify", "demand", "mine.yaml", "--reason", "wider")
    assert 2 == refused.returncode
    laptop("policy", "ratify", "demand", "mine.yaml", "--reason", "wider", "--self-approve")
    assert "NEEDS_APPROVAL" == laptop.json("run", *window, expect=10)["verdict"]


def test_a_passed_review_date_is_told_to_the_policy(promoted: Laptop, tmp_path: Path) -> None:
    """After ``review_by`` nothing is promoted without a person."""
    laptop = copy_of(promoted, tmp_path)
    project = laptop.project / "warrant.yaml"
    project.write_text(project.read_text() + "review_by: 2020-01-31\n")
    ran = laptop.json("run", "--current", "2024-03-15..2024-06-01", expect=11)

    assert "yes" == ran["levels"]["overdue"]


def test_overdue_monitoring_is_told_to_the_policy(promoted: Laptop, tmp_path: Path) -> None:
    """A monitor that should have looked a second after the promotion bars what needs no person."""
    laptop = copy_of(promoted, tmp_path)
    project = laptop.project / "warrant.yaml"
    project.write_text(project.read_text() + "monitor_every: 1s\n")
    ran = laptop.json("run", "--current", "2024-03-15..2024-06-01", expect=11)

    assert "yes" == ran["levels"]["overdue"]
    assert "monitoring was due by" in laptop("status", "demand")


def test_a_signed_approval_is_told_from_an_asserted_one(laptop: Laptop) -> None:
    """With an SSH key the ledger can prove who approved; another key is refused."""
    for name in ("grace", "mallory"):
        words = ["-q", "-t", "ed25519", "-N", "", "-f", str(laptop.folder / name), "-C", name]
        subprocess.run(["ssh-keygen", *words], check=True)
    signers = laptop.folder / "signers"
    signers.write_text(f"grace {(laptop.folder / 'grace.pub').read_text()}")
    request = laptop.json("run", expect=10)["request"]
    laptop("policy", "signers", "demand", str(signers), "--reason", "team", "--self-approve")
    forged = ("--reason", "ok", "--key", str(laptop.folder / "mallory"))
    assert 2 == laptop.run("approve", request, *forged, actor="grace").returncode
    laptop(
        "approve", request, "--reason", "ok", "--key", str(laptop.folder / "grace"), actor="grace"
    )

    [promote] = [e for e in laptop.json("history", "demand")["entries"] if e["op"] == "promote"]
    assert "signed" in promote["summary"]
    assert "not proven" not in promote["summary"]
    laptop("verify", "demand")


@pytest.mark.parametrize(
    "words", [("verify", "nosuch"), ("history", "nosuch"), ("status", "nosuch")]
)
def test_an_unknown_model_is_named(promoted: Laptop, words: tuple[str, ...]) -> None:
    """One message with the name, exit 2."""
    result = promoted.run(*words)

    assert 2 == result.returncode
    assert "nosuch" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_project_says_which_model_is_meant(promoted: Laptop) -> None:
    """In its folder the name may be left out; elsewhere it is asked for."""
    told = promoted.json("history")
    (promoted.project / "warrant.yaml").rename(promoted.project / "other.yaml")
    found = promoted.run("history")

    assert promoted.json("history", "demand") == told
    assert 2 == found.returncode
    assert "MODEL" in found.stderr and "warrant.yaml" in found.stderr
