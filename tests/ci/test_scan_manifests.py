"""Findings of a scan are held against the exceptions, both ways."""

import pytest

from ci.cluster_deploy import MANIFESTS
from ci.scan_manifests import accepted, judge
from modelwarrant.errors import PermanentError

GATE = ("CKV_K8S_38", "Deployment.modelwarrant-system.gate")
OTHER = ("CKV_K8S_38", "Deployment.modelwarrant-serving.serving")


def test_an_accepted_finding_is_no_fault() -> None:
    """What is found and accepted is silent."""
    assert [] == judge([GATE], [GATE])


def test_the_same_check_of_another_object_is_a_fault() -> None:
    """An exception is for the object that it names."""
    assert [f"{OTHER[0]} fails for {OTHER[1]}"] == judge([GATE, OTHER], [GATE])


def test_an_exception_that_finds_nothing_is_a_fault() -> None:
    """The list of exceptions does not outlive its findings."""
    assert [f"{GATE[0]} no longer fails for {GATE[1]}: remove its exception"] == judge([], [GATE])


@pytest.mark.parametrize("key", ["check", "resources", "reason"])
def test_an_exception_needs_check_object_and_reason(key: str) -> None:
    """A line without a reason is refused, and numbered."""
    lines = {"check": "CKV_K8S_38", "resources": "[a]", "reason": "because"}
    text = "\n".join(f"    {name}: {value}" for name, value in lines.items() if name != key)

    with pytest.raises(PermanentError, match=f"exception 1 .* no {key}"):
        accepted(f"exceptions:\n  -\n{text}\n")


def test_the_shipped_exceptions_are_well_formed() -> None:
    """Each shipped exception names check, objects and a reason."""
    assert GATE in accepted((MANIFESTS / "checkov.yaml").read_text())
