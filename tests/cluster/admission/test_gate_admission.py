"""Does the API server deny what it must, in the layer that we say, and by the rule that we say?"""

import pytest

from tests.cluster.admission.api import ALLOWED
from tests.cluster.admission.caller_cases import POLICY_CASES, RBAC_CASES
from tests.cluster.admission.manifests import policy_rules, schema_rules
from tests.cluster.admission.requests import STATES, Case, Requests
from tests.cluster.admission.schema_cases import SCHEMA_CASES

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("state", STATES)
def test_the_legal_way_is_open(shipped: Requests, state: str) -> None:
    """Everybody does his part, and the request gets there."""
    assert shipped.path_in(state)


@pytest.mark.parametrize(
    "case", (*SCHEMA_CASES, *POLICY_CASES, *RBAC_CASES), ids=lambda case: case.what
)
def test_a_forbidden_act_is_denied_by_its_layer(shipped: Requests, case: Case) -> None:
    """The denial names the layer and the rule."""
    denied = shipped.attempt(case)
    assert case.layer == denied.layer
    assert case.says in denied.message


@pytest.mark.parametrize("index", range(len(schema_rules())), ids=[m for _, m in schema_rules()])
def test_each_rule_of_the_schema_is_needed(schemas: list[Requests], index: int) -> None:
    """With this rule taken away, an act that it forbids goes through."""
    _, message = schema_rules()[index]
    cases = [case for case in SCHEMA_CASES if message.startswith(case.says)]
    assert ALLOWED in {schemas[index].attempt(case).layer for case in cases}


@pytest.mark.parametrize("rule", policy_rules())
def test_each_rule_of_the_policy_is_needed(policies: dict[str, Requests], rule: str) -> None:
    """With this rule taken away, every act that it alone forbids goes through."""
    cases = [case for case in POLICY_CASES if case.says.startswith(f"{rule}: ")]
    assert cases
    assert {ALLOWED} == {policies[rule].attempt(case).layer for case in cases}
