"""Who is told that something happened to a request?

One POST of a small JSON document an event. Whether it was delivered stands in the request's status,
so a restart neither loses nor doubles it; a receiver that is down delays nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import urllib3
from urllib3.exceptions import HTTPError

from modelwarrant.errors import TemporaryError

__all__ = ["NOTIFIED", "Event", "Webhook", "event_of", "notified_event"]

Event = Literal["needs-approval", "blocked", "promoted", "rejected", "expired", "rolled-back"]

NOTIFIED: Final = "Notified"
"""Type of the condition that says which event was told."""

_ENDED: Final[Mapping[str, Event]] = {
    "promoted": "promoted",
    "rejected": "rejected",
    "expired": "expired",
    "held": "blocked",
}
_TIMEOUT: Final = urllib3.Timeout(connect=2, read=5)


def event_of(resource: Mapping[str, Any]) -> Event | None:
    """Return the newest event of a request, None where nobody need be told.

    A REJECT by a rule is ``blocked``, and so are a monitor's hold and a rollback of it that a
    person must carry out; ``rejected`` is a person's.
    """
    spec, status = resource["spec"], resource.get("status", {})
    outcome = status.get("outcome")
    if spec["operation"] == "rollback":
        return "rolled-back" if outcome == "applied" else None
    if spec["operation"] == "act":
        is_loud = outcome == "applied" and spec.get("action") in ("hold", "rollback")
        if not is_loud:
            return None
        return "rolled-back" if "version" in status else "blocked"
    if outcome is None:
        return "needs-approval" if status.get("verdict") in ("PROMOTE", "NEEDS_APPROVAL") else None
    if outcome == "rejected" and status.get("verdict") == "REJECT":
        return "blocked"
    return _ENDED.get(outcome)


def notified_event(resource: Mapping[str, Any]) -> str | None:
    """Return the event that was told last."""
    for condition in resource.get("status", {}).get("conditions", ()):
        if condition["type"] == NOTIFIED:
            return str(condition["reason"])
    return None


@dataclass(frozen=True)
class Webhook:
    """A receiver of events.

    Args:
        url: takes a POST; None tells nobody.
        pages: address of the gate's own pages, as people reach it; may be empty.
        post: sends bytes to an address and returns the HTTP status.
    """

    url: str | None
    pages: str = ""
    post: Callable[[str, Mapping[str, Any]], int] | None = None

    def tell(self, event: Event, resource: Mapping[str, Any]) -> str:
        """Tell one event; return what stands in the condition's message.

        Raises:
            TemporaryError: it was not taken; worth another try.
        """
        if self.url is None:
            return "no webhook is configured"
        spec, status = resource["spec"], resource.get("status", {})
        name = resource["metadata"]["name"]
        document = {
            "event": event,
            "request": name,
            "operation": spec["operation"],
            "model": spec["model"],
            "requester": spec["requester"],
            "version": status.get("version"),
            "verdict": status.get("verdict"),
            "rule": status.get("rule"),
            "reason": status.get("reason"),
            "drift": status.get("drift"),
            "delta": status.get("delta"),
            "page": f"{self.pages.rstrip('/')}/requests/{name}" if self.pages else None,
            "command": f'warrant approve {name} --reason "..."'
            if event == "needs-approval"
            else None,
        }
        try:
            code = (self.post or _post)(self.url, document)
        except (HTTPError, OSError) as error:
            raise TemporaryError(f"the webhook did not take {event} of {name}: {error}") from error
        if not 200 <= code < 300:
            raise TemporaryError(f"the webhook answered {code} to {event} of {name}")
        return f"told the webhook: {event}"


def _post(url: str, document: Mapping[str, Any]) -> int:
    pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)
    return int(pool.request("POST", url, json=document, redirect=False).status)
