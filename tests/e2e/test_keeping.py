"""The registry's commands as a person types them: evidence, export, import, doctor, inventory."""

import filecmp
import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import Laptop


def test_evidence_verifies_without_the_project(promoted: Laptop, tmp_path: Path) -> None:
    """The bundle's own program, isolated, says yes; a changed byte makes it say no."""
    folder = tmp_path / "bundle"
    told = json.loads(promoted("evidence", "demand@3", "--out", str(folder), "--json"))
    command = [sys.executable, "-I", "verify.py", "--genesis", told["genesis"]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("verified\ndemand@3: model sha256:")
    page = folder / "NOT-PROVEN.md"
    page.write_text(page.read_text() + " ")
    spoiled = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (1, True) == (spoiled.returncode, "NOT-PROVEN.md is not what" in spoiled.stdout)


def test_evidence_is_not_written_over_something(promoted: Laptop, tmp_path: Path) -> None:
    """A folder with files in it is left alone."""
    (tmp_path / "mine.txt").write_text("x")
    refused = promoted.run("evidence", "demand@3", "--out", str(tmp_path))

    assert (2, True) == (refused.returncode, "is not empty; name a new folder" in refused.stderr)


def test_a_ledger_moves_to_another_store(promoted: Laptop, tmp_path: Path) -> None:
    """Exported twice to the same bytes, imported, verified; production and key are the same."""
    one, two, store = tmp_path / "one.tar", tmp_path / "two.tar", str(tmp_path / "store")
    promoted("store", "export", "demand", "--out", str(one))
    promoted("store", "export", "demand", "--out", str(two))
    told = json.loads(promoted("store", "import", str(one), "--store", store, "--json"))

    assert filecmp.cmp(one, two, shallow=False)
    assert (3, True) == (told["production"], told["may_write"])
    assert told["entries"] == json.loads(promoted("verify", "demand", "--json"))["entries"]
    assert "verified" in promoted("verify", "demand", "--store", store)


def test_a_spoiled_export_is_refused_and_nothing_is_written(
    promoted: Laptop, tmp_path: Path
) -> None:
    """The file is verified before the store is touched."""
    file, store = tmp_path / "one.tar", tmp_path / "store"
    promoted("store", "export", "demand", "--out", str(file))
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"verdict":"NEEDS_APPROVAL"', b'"verdict":"NEEDS_APPROVAX"'))
    refused = promoted.run("store", "import", str(file), "--store", str(store))

    assert (2, True) == (
        refused.returncode,
        ".json was altered" in refused.stderr or (".json is not a legal entry" in refused.stderr),
    )
    assert not (store / "m").exists()


def test_what_is_no_export_is_refused(promoted: Laptop, tmp_path: Path) -> None:
    """Any other file is named."""
    (tmp_path / "x.tar").write_text("nothing")
    refused = promoted.run("store", "import", str(tmp_path / "x.tar"))

    assert (2, True) == (refused.returncode, "not a file of warrant store export" in refused.stderr)


def test_the_doctor_finds_nothing_where_nothing_is_wrong(promoted: Laptop) -> None:
    """Keys, promises and the ledger are looked at."""
    findings = json.loads(promoted("doctor", "--json"))["findings"]

    assert [] == [each for each in findings if not each["is_well"]]
    assert {"keys", "store", "race", "demand"} <= {each["what"] for each in findings}


def test_the_doctor_names_what_is_wrong_and_what_to_do(promoted: Laptop) -> None:
    """A changed entry is named, with the way out."""
    store = promoted.folder / "project" / ".warrant"
    entry = store / "m" / "demand" / "log" / "000000000003.json"
    data = entry.read_bytes()
    entry.write_bytes(data.replace(b'"actor":"ada"', b'"actor":"eve"'))
    told = promoted.run("doctor", "--json")
    entry.write_bytes(data)
    [wrong] = [each for each in json.loads(told.stdout)["findings"] if not each["is_well"]]

    assert (2, "demand") == (told.returncode, wrong["what"])
    assert "000000000003.json has a wrong signature" in wrong["detail"]
    assert "restore that object from a backup" in wrong["todo"]


def test_the_inventory_has_a_row_a_model(promoted: Laptop) -> None:
    """Owner and what is due come from the project, the rest from the ledger."""
    project = promoted.folder / "project" / "warrant.yaml"
    text = project.read_text()
    project.write_text(
        text + "owner: team-energy\npurpose: staffing\nreview_by: 2020-01-31\nmonitor_every: 7d\n"
    )
    [row] = json.loads(promoted("inventory", "--json"))["models"]
    metrics = promoted("inventory", "--prometheus")
    project.write_text(text)

    assert ("demand", "team-energy", "staffing", 3) == (
        row["model"],
        row["owner"],
        row["purpose"],
        row["production"],
    )
    assert row["last_decision"].startswith("NEEDS_APPROVAL ")
    assert ["the review was due by 2020-01-31"] == row["overdue"]
    assert row["monitoring_last"] is None
    assert row["monitoring_due"] is not None
    assert 'modelwarrant_overdue{model="demand"} 1.0' in metrics.splitlines()
    assert 'modelwarrant_production_version{model="demand"} 3.0' in metrics.splitlines()


def test_a_ledger_of_the_newest_schema_needs_no_upgrade(promoted: Laptop) -> None:
    """Nothing is written where there is nothing to do."""
    told = json.loads(promoted("store", "upgrade", "demand", "--json"))

    assert {"model": "demand", "schema": 1, "seq": None} == told


def test_the_benchmark_measures_and_leaves_nothing(promoted: Laptop, tmp_path: Path) -> None:
    """Small sizes; each figure has a value, and the store is empty afterwards."""
    store = tmp_path / "store"
    words = ("--writers", "2", "--entries", "5", "--ledger", "30", "--blobs-mb", "1")
    told = json.loads(promoted("benchmark", "registry", "--store", str(store), *words, "--json"))

    assert [] == [each["what"] for each in told["figures"] if each["value"] <= 0]
    assert 7 == len(told["figures"])
    assert [] == [path for path in store.rglob("*") if path.is_file()]
