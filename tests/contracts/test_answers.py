"""Do commands print what people wrote as it stands, and each answer as JSON where asked?"""

import json

import pytest
from typer.testing import CliRunner

from modelwarrant import policy
from modelwarrant.cli.app import app
from modelwarrant.cli.options import table

_REASON = "[/closed] [red]late[/red] :bug:"


def test_a_reason_in_brackets_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that looks like Rich's markup or an emoji's name is text, and nothing fails."""
    table(("id", "reason"), [("1", _REASON)])

    assert _REASON in capsys.readouterr().out


def test_policy_show_answers_as_json() -> None:
    """The shipped policy comes as one document with its digest."""
    answer = CliRunner().invoke(app, ["policy", "show", "--json"])

    expected = {
        "policy_digest": policy.load(policy.default_text().encode(), name="shipped").digest,
        "text": policy.default_text(),
    }
    assert (0, expected) == (answer.exit_code, json.loads(answer.stdout))
