"""Provenance says which code, libraries and machine made something."""

import subprocess
from pathlib import Path

import modelwarrant
from modelwarrant.stage import collect_provenance, read_settings


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder with an identity of its own."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    """No commit is made up for a folder that has none."""
    found = collect_provenance(tmp_path)

    assert (None, None) == (found.code_commit, found.code_dirty)
    assert modelwarrant.__version__ == found.engine_version


def test_a_changed_file_makes_the_commit_dirty(tmp_path: Path) -> None:
    """The commit is named, and whether the folder still equals it."""
    (tmp_path / "warrant.yaml").write_text("a: 1\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = collect_provenance(tmp_path)
    (tmp_path / "warrant.yaml").write_text("a: 2\n")

    assert 40 == len(clean.code_commit or "")
    assert (False, True) == (clean.code_dirty, collect_provenance(tmp_path).code_dirty)


def test_the_lock_digest_is_stable(tmp_path: Path) -> None:
    """The same installation has the same digest."""
    assert collect_provenance(tmp_path).lock_digest == collect_provenance(tmp_path).lock_digest


def test_settings_come_from_the_environment() -> None:
    """Each variable sets what it says; nothing else is read."""
    found = read_settings(
        {"WARRANT_STORE": "s3://b/p", "WARRANT_HOME": "/keys", "WARRANT_ACTOR": "ada"}
    )

    assert ("s3://b/p", Path("/keys"), "ada") == (found.store, found.home, found.actor)
