"""What people write into the ledger is text, and nothing that a terminal obeys."""

import pytest

from modelwarrant.errors import RequestError
from tests.gate.desk import Desk

STEERING = ["fine\x1b[2J", "fine\u202eenif", "a\x00b", "a\u2066b"]


@pytest.mark.parametrize("text", STEERING)
def test_a_reason_is_plain_text(desk: Desk, text: str) -> None:
    """As the cluster's schema has it; the answer can be given again."""
    request = desk.process(desk.submit("one"))
    with pytest.raises(RequestError, match="a reason is plain text"):
        desk.approve(request, "bob", reason=text)

    assert "promoted" == desk.approve(request, "bob", reason="lines\nand\ttabs are fine").outcome


@pytest.mark.parametrize("text", STEERING)
def test_a_name_is_plain_text(desk: Desk, text: str) -> None:
    """Of who asks and of who answers."""
    with pytest.raises(RequestError, match="a requester is plain text"):
        desk.submit("one", requester=text)
    request = desk.process(desk.submit("two"))
    with pytest.raises(RequestError, match="the approver's name is plain text"):
        desk.approve(request, text)
