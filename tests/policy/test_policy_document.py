"""A policy file is read strictly, and every error names file, line and row."""

import pytest

from modelwarrant.errors import PolicyError
from modelwarrant.policy import Thresholds, default_policy, default_text, load

SHIPPED = "sha256:593befd2e2ea09f3dfd363644f54457c05e0d39e9df5debf2e179912bdd9b3fd"

ROW = """
rows:
  - name: last
    verdict: HOLD
    reason: nothing
"""


def _error(text):
    with pytest.raises(PolicyError) as raised:
        load(text.encode() if isinstance(text, str) else text, name="policy.yaml")
    return str(raised.value)


def test_the_shipped_policy_states_the_defaults():
    """The file and the defaults of the code say the same."""
    assert Thresholds() == default_policy().thresholds
    assert 1 == default_policy().approvals_required


def test_the_shipped_policy_has_the_digest_that_stores_ratified():
    """A change of the shipped policy is a change for everybody who ratified it."""
    assert SHIPPED == default_policy().digest


def test_a_policy_reads_back_from_its_canonical_bytes():
    """The bytes that are hashed are themselves a policy file."""
    policy = default_policy()

    assert policy.digest == load(policy.to_bytes(), name="blob").digest
    assert policy == load(policy.to_bytes(), name="blob")


def test_comments_and_layout_do_not_change_the_digest():
    """What is ratified is the meaning."""
    text = "# another comment\n" + default_text().replace(
        "if: {identical: yes}", "if: { 'identical':  [yes] }"
    )

    assert default_policy().digest == load(text.encode(), name="policy.yaml").digest


def test_a_changed_threshold_changes_the_digest():
    """Every number is part of what is ratified."""
    text = default_text().replace("min_gain: 0.02", "min_gain: 0.03")

    assert default_policy().digest != load(text.encode(), name="policy.yaml").digest


def test_absent_thresholds_take_their_defaults():
    """A policy may name only what it changes."""
    policy = load(f"thresholds: {{min_labels: 200}}{ROW}".encode(), name="policy.yaml")

    assert Thresholds(min_labels=200) == policy.thresholds


def test_yes_stays_a_level_and_is_no_boolean():
    """YAML 1.1 would read yes as true."""
    policy = load(
        b"rows: [{name: a, if: {identical: yes}, verdict: HOLD, reason: b}]", name="policy.yaml"
    )

    assert ({"identical": ("yes",)},) == policy.rows[0].any_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "policy.yaml: the policy is empty"),
        ("policy: x", "policy.yaml: a policy needs 'rows'"),
        ("- 1", "line 1: the policy must be a mapping"),
        ("rows: []", "line 1: a policy needs at least one row"),
        ("rows: {}", "line 1: rows must be a list"),
        (f"colour: red{ROW}", "line 1: the policy has no 'colour'"),
        (f"policy: a\npolicy: b{ROW}", "line 2: the policy: 'policy' stands twice"),
        (f"schema_version: 2{ROW}", "line 1: schema_version '2' is unknown"),
        (f"thresholds: {{alfa: 1}}{ROW}", "line 1: thresholds has no 'alfa'"),
        (f"thresholds:\n  alpha: 0.6{ROW}", "line 2: threshold 'alpha' must lie between 0 and 0.5"),
        (f"thresholds: {{alpha: nan}}{ROW}", "threshold 'alpha' must be a number"),
        (f"thresholds: {{alpha: lots}}{ROW}", "threshold 'alpha' must be a number"),
        (f"thresholds: {{alpha: }}{ROW}", "threshold 'alpha' must be a text that is not empty"),
        (f"thresholds: {{power: 1}}{ROW}", "threshold 'power' must lie between 0.5 and 1"),
        (f"thresholds: {{margin: 0.1}}{ROW}", "threshold 'min_gain' must exceed margin"),
        (f"thresholds: {{min_labels: 1.5}}{ROW}", "'min_labels' must be a whole number"),
        (f"thresholds: {{margin_slices: 0.001}}{ROW}", "must be at least margin_ni"),
        (f"approvals_required: 0{ROW}", "approvals_required must be a number from 1 to 10"),
        ("rows: [{name: a, verdict: HOLD}]", "line 1: a row needs 'reason'"),
        ("rows: [{name: a, verdict: hold, reason: b}]", "row 'a': verdict 'hold' is not one of"),
        (ROW.replace("HOLD", "HOLD\n    if: {wind: up}"), "row 'last': 'if' has no 'wind'"),
        (
            ROW.replace("HOLD", "HOLD\n    if:\n      drift: [none, lots]"),
            "line 6: row 'last': drift is never 'lots'; it is one of drift, notice, none",
        ),
        (ROW.replace("HOLD", "HOLD\n    if: {drift: []}"), "drift names no value"),
        (ROW.replace("HOLD", "HOLD\n    if: []"), "an empty list of conditions is never met"),
        (ROW.replace("nothing", "'{gain}'"), "row 'last': the reason names {gain}"),
        (ROW.replace("nothing", "'{current.__class__}'"), "the reason names {current.__class__}"),
        (ROW.replace("nothing", "'{current'"), "the reason has an unpaired brace"),
        (ROW + ROW.replace("rows:\n", ""), "line 7: row 'last' stands twice"),
        ("rows: &a [*a]", "aliases are not allowed"),
        ("rows: [", "policy.yaml: not YAML"),
        (b"\xff\xfe\x00", "policy.yaml: not YAML"),
        ("[" * 20_000, "policy.yaml: not YAML"),
        ("[" * 90_000 + "]" * 90_000, "policy.yaml"),
        ("a" * 1_000_001, "bytes are no policy"),
        ("rows: 1\n---\nrows: 2", "policy.yaml: not YAML"),
    ],
)
def test_a_broken_policy_is_named_by_file_and_line(text, said):
    """One clear error for each way in which a file can be wrong."""
    message = _error(text)

    assert said in message
    assert message.startswith("policy.yaml")
