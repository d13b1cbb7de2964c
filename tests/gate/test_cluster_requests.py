"""Requests of a cluster as records, without a cluster."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.__main__ import read_configuration
from gate.guard import Guard, shipped_admission
from gate.resource import (
    announcement,
    package_list,
    parse_package_list,
    request_id,
    to_record,
)
from gate.webhook import NOTIFIED, Webhook, event_of, notified_event
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import PermanentError, PolicyError, RequestError, TemporaryError
from modelwarrant.records import Blob

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONE, TWO, THREE = (f"sha256:{digit * 64}" for digit in "123")


def resource(*, name: str = "run-a1", status: Any = None, **spec: Any) -> dict[str, Any]:
    """A request as the API server returns it."""
    body = announcement(
        run="a1", model="flights", requester="ada", namespace="ns", expires=NOW + timedelta(days=7)
    )
    body["metadata"] |= {
        "name": name,
        "uid": "0f3c9d42-77aa-4e5f-9d3e-2f1b5e7c8a90",
        "creationTimestamp": "2026-03-01T12:00:00Z",
    }
    body["spec"] |= spec
    if status is not None:
        body["status"] = status
    return body


def completed(**spec: Any) -> dict[str, Any]:
    """A request whose run handed its candidate in."""
    candidate = {
        "digest": ONE,
        "evidence_digest": TWO,
        "policy_digest": THREE,
        "package": "in/flights/a1/",
        "package_digest": ONE,
    }
    return resource(candidate=candidate, verdict="NEEDS_APPROVAL", **spec)


def decision(**changes: Any) -> dict[str, Any]:
    """One person's answer."""
    return {
        "verdict": "Approved",
        "approver": "bob",
        "candidate_digest": ONE,
        "reason": "looked",
        **changes,
    }


def test_a_request_made_again_under_its_name_has_another_id() -> None:
    """The ledger tells two requests of one name apart."""
    first, second = resource(), resource()
    second["metadata"]["uid"] = "aaaaaaaa-0000-4000-8000-000000000000"
    assert request_id(first) != request_id(second)


@pytest.mark.parametrize("name", ["a" * 56, "run.a1", "-run"])
def test_a_name_that_does_not_fit_the_ledger_is_refused(name: str) -> None:
    """The message names the request."""
    with pytest.raises(RequestError, match=f"request {name}"):
        request_id(resource(name=name))


def test_a_decision_is_about_candidate_and_evidence() -> None:
    """Both were frozen together, so a decision that repeats the one is about both."""
    [approval] = to_record(completed(decisions=[decision()]), now=NOW).approvals
    assert (ONE, TWO) == (approval.candidate_digest, approval.evidence_digest)


def test_a_decision_about_another_candidate_is_about_no_evidence() -> None:
    """So it never counts as an approval of what was handed in."""
    [approval] = to_record(completed(decisions=[decision(candidate_digest=TWO)]), now=NOW).approvals
    assert "" == approval.evidence_digest


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-02T01:00:00+01:00", "2026-03-02T00:00:00.000Z"),
        ("yesterday", "2026-03-01T12:00:00.000Z"),
    ],
)
def test_the_time_of_a_decision_is_read_where_it_can_be(time: str, expected: str) -> None:
    """It is advisory: one that cannot be read is the present."""
    [approval] = to_record(completed(decisions=[decision(time=time)]), now=NOW).approvals
    assert expected == approval.time


def test_a_request_waits_at_most_a_month() -> None:
    """Whatever it says of itself."""
    record = to_record(resource(expires="9999-12-31T00:00:00Z"), now=NOW)
    assert "2026-04-01T12:00:00.000Z" == record.expires


def test_a_time_beyond_all_calendars_is_refused() -> None:
    """The API server lets it pass; in UTC it would be the year 10000."""
    with pytest.raises(RequestError, match="is not an RFC 3339 time"):
        to_record(resource(expires="9999-12-31T23:59:59-01:00"), now=NOW)


def test_a_package_list_is_read_back() -> None:
    """Written and read, it names the same files in the same order."""
    blobs = (Blob(name="b", digest=ONE, size=1), Blob(name="a", digest=TWO, size=2))
    data = package_list(blobs)
    assert ["a", "b"] == [
        blob.name for blob in parse_package_list(data, digest=digest_bytes(data), name="k")
    ]


@pytest.mark.parametrize(
    ("data", "digest", "message"),
    [
        (None, ONE, "in/x is gone"),
        (b"{}", ONE, "in/x was changed"),
        (b"{}", digest_bytes(b"{}"), "in/x is no list"),
        (b"[", digest_bytes(b"["), "in/x is no list"),
        (b'{"files":[{"name":"a"}]}', digest_bytes(b'{"files":[{"name":"a"}]}'), "is no list"),
    ],
)
def test_a_broken_package_list_is_named(data: bytes | None, digest: str, message: str) -> None:
    """Gone, changed or of another form: the key is in the message."""
    with pytest.raises(RequestError, match=message):
        parse_package_list(data, digest=digest, name="in/x")


@pytest.mark.parametrize(
    ("event", "status", "operation"),
    [
        (None, None, "promote"),
        ("needs-approval", {"verdict": "PROMOTE"}, "promote"),
        ("promoted", {"verdict": "PROMOTE", "outcome": "promoted"}, "promote"),
        ("blocked", {"verdict": "HOLD", "outcome": "held"}, "promote"),
        ("blocked", {"verdict": "REJECT", "outcome": "rejected"}, "promote"),
        ("rejected", {"verdict": "NEEDS_APPROVAL", "outcome": "rejected"}, "promote"),
        ("expired", {"outcome": "expired"}, "promote"),
        (None, {"outcome": "cancelled"}, "promote"),
        ("rolled-back", {"outcome": "applied"}, "rollback"),
        (None, {"outcome": "superseded"}, "rollback"),
    ],
)
def test_each_state_has_its_event(event: str | None, status: Any, operation: str) -> None:
    """A REJECT by a rule is blocked; rejected is a person's."""
    assert event == event_of(resource(status=status, operation=operation))


def test_what_was_told_is_read_from_the_conditions() -> None:
    """So a restart tells nothing twice."""
    conditions = [{"type": "Other", "reason": "x"}, {"type": NOTIFIED, "reason": "promoted"}]
    assert "promoted" == notified_event(resource(status={"conditions": conditions}))


def test_a_webhook_that_refuses_is_asked_again() -> None:
    """An answer other than 2xx is worth another try."""
    hook = Webhook("http://hook", "", lambda url, document: 500)
    with pytest.raises(TemporaryError, match="answered 500 to promoted of run-a1"):
        hook.tell("promoted", resource())


def test_a_webhook_gets_page_and_command() -> None:
    """A person can click and copy."""
    told: list[Any] = []
    hook = Webhook("http://hook", "https://gate/", lambda url, it: told.append(it) or 200)
    hook.tell("needs-approval", resource())
    assert "https://gate/requests/run-a1" == told[0]["page"]
    assert 'warrant approve run-a1 --reason "..."' == told[0]["command"]


class Api:
    """An API server that holds an admission policy and a canary."""

    def __init__(self, policy: Any, binding: Any, *, refusal: str | None) -> None:
        self.policy, self.binding, self.refusal = policy, binding, refusal

    def admission_policy(self) -> Any:
        """The policy in force."""
        return None if self.policy is None else {"spec": self.policy}

    def admission_binding(self) -> Any:
        """The binding in force."""
        return None if self.binding is None else {"spec": self.binding}

    def request(self, name: str) -> Any:
        """The canary."""
        return {"status": {"ledger": {"seq": 0}}}

    def patch_status(self, name: str, status: Any, *, dry_run: bool = False) -> Any:
        """Refuse, as whoever is told to."""
        if self.refusal is not None:
            raise RequestError(self.refusal)


DENIED = "ValidatingAdmissionPolicy 'promotionrequests.modelwarrant.dev' denied request: ledger"
SHIPPED = Path(__file__).parents[2] / "manifests" / "base" / "gate-api" / "policy.yaml"
POLICY, BINDING = shipped_admission(SHIPPED)


def defaulted(policy: Any) -> Any:
    """The policy with what the API server fills in."""
    constraints = {
        **policy["matchConstraints"],
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "resourceRules": [
            {**rule, "scope": "*"} for rule in policy["matchConstraints"]["resourceRules"]
        ],
    }
    return {**policy, "matchConstraints": constraints}


@pytest.mark.parametrize(
    ("policy", "binding", "refusal", "fault"),
    [
        (defaulted(POLICY), BINDING, DENIED, None),
        (None, BINDING, DENIED, "policy promotionrequests.modelwarrant.dev is gone"),
        (POLICY, None, DENIED, "binding promotionrequests.modelwarrant.dev is gone"),
        (
            {**POLICY, "validations": POLICY["validations"][1:]},
            BINDING,
            DENIED,
            "is not the one this gate came with",
        ),
        (
            {**POLICY, "matchConditions": [{"name": "never", "expression": "false"}]},
            BINDING,
            DENIED,
            "is not the one this gate came with",
        ),
        ({**POLICY, "failurePolicy": "Ignore"}, BINDING, DENIED, "is not the one"),
        (POLICY, {**BINDING, "validationActions": ["Audit"]}, DENIED, "is not the one"),
        (POLICY, BINDING, None, "was let through"),
        (POLICY, BINDING, "requests is forbidden: RBAC", "but not by the policy"),
    ],
)
def test_what_is_not_as_shipped_is_named(
    policy: Any, binding: Any, refusal: str | None, fault: str | None
) -> None:
    """Gone, changed, weakened, or not effective: each has its sentence."""
    guard = Guard(Api(policy, binding, refusal=refusal), POLICY, BINDING)  # type: ignore[arg-type]
    found = guard.fault()
    assert found is None if fault is None else fault in (found or "")


def test_a_file_that_is_no_admission_policy_is_named(tmp_path: Any) -> None:
    """The gate does not start without knowing what it was shipped with."""
    (tmp_path / "policy.yaml").write_text("kind: ConfigMap\n")
    with pytest.raises(PolicyError, match=r"policy\.yaml"):
        shipped_admission(tmp_path / "policy.yaml")


@pytest.mark.parametrize(
    ("name", "value"), [("WARRANT_AUTOMATIC", "yes"), ("WARRANT_PORT", "http")]
)
def test_a_setting_that_is_none_is_named(name: str, value: str) -> None:
    """The variable is in the message."""
    with pytest.raises(PermanentError, match=name):
        read_configuration({name: value})


def test_automatic_promotion_is_off_by_default() -> None:
    """A cluster's PROMOTE waits for a person unless an admin says otherwise."""
    assert not read_configuration({}).is_automatic
