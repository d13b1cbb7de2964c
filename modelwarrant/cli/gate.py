"""Commands of the gate: requests, show, approve, reject, withdraw, review."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from modelwarrant.cli.options import (
    JsonOption,
    KeyOption,
    StoreOption,
    answer_json,
    note,
    out,
    table,
)

__all__ = ["register"]

ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.")]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The request, or a unique beginning.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("requests")(requests)
    app.command("show")(show)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("withdraw")(withdraw)
    app.command("review")(review)


def requests(
    everything: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the requests that wait for a person."""
    from modelwarrant.cli.desks import listed

    found = listed(store, everything=everything)
    if as_json:
        answer_json({"requests": [request.model_dump(mode="json") for request in found]})
        return
    if not found:
        note("nothing waits for a decision")
        return
    table(
        ("id", "model", "operation", "verdict", "requester", "created", "outcome"),
        (
            (r.id, r.model, r.operation, r.verdict, r.requester, r.created, r.outcome or "waits")
            for r in found
        ),
    )


def show(id: IdArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show one request: verdict, reasons, what would change it, the page."""
    from modelwarrant.cli.desks import shown
    from modelwarrant.cli.words import print_decision, shadow_words

    request, found, page = shown(store, id)
    decision, shadow = (None, None) if found is None else (found.decision, found.shadow)
    if as_json:
        answer_json(
            {
                "request": request.model_dump(mode="json"),
                "decision": None if decision is None else decision.model_dump(mode="json"),
                "shadow": None if shadow is None else shadow.model_dump(mode="json"),
                "page": None if page is None else str(page),
            }
        )
        return
    console = out()
    console.print(f"request {request.id}: {request.operation} {request.model}", markup=False)
    console.print(f"  asked by {request.requester} at {request.created}", markup=False)
    if decision is not None:
        print_decision(decision)
    if shadow is not None:
        console.print(f"  {shadow_words(shadow)}", markup=False)
    for approval in request.approvals:
        by_self = ", by the requester" if approval.self_approved else ""
        console.print(
            f"  {approval.verdict.lower()} by {approval.approver} ({approval.proof}{by_self}): "
            f"{approval.reason}",
            markup=False,
        )
    console.print(f"  outcome: {request.outcome or 'waits for a decision'}", markup=False)
    if page is not None:
        console.print(f"  page: {page}", markup=False)


def approve(
    id: IdArgument,
    reason: ReasonOption,
    self_approve: Annotated[
        bool, typer.Option("--self-approve", help="You asked yourself; recorded as such.")
    ] = False,
    key: KeyOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a request: the candidate and the evidence that were shown, and nothing else."""
    _decide(
        id, "Approved", reason, key=key, store=store, as_json=as_json, self_approve=self_approve
    )


def reject(
    id: IdArgument,
    reason: ReasonOption,
    key: KeyOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject a request; one rejection ends it."""
    _decide(id, "Rejected", reason, key=key, store=store, as_json=as_json)


def _decide(
    id: str,
    verdict: Literal["Approved", "Rejected"],
    reason: str,
    *,
    key: Path | None,
    store: str | None,
    as_json: bool,
    self_approve: bool = False,
) -> None:
    from modelwarrant.cli.desks import answer

    request = answer(store, id, verdict=verdict, reason=reason, self_approve=self_approve, key=key)
    _answer(request, as_json=as_json)


def withdraw(id: IdArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Take back a request of your own."""
    from modelwarrant.cli.desks import withdrawn

    _answer(withdrawn(store, id), as_json=as_json)


def _answer(request: object, *, as_json: bool) -> None:
    from modelwarrant.records import PromotionRequest

    assert isinstance(request, PromotionRequest)  # noqa: S101 - narrows the type for mypy
    if as_json:
        answer_json(request.model_dump(mode="json"))
        return
    version = f", version {request.version} of {request.model}" if request.version else ""
    out().print(f"request {request.id}: {request.outcome or 'waits'}{version}", markup=False)
    if request.outcome_reason:
        out().print(f"  {request.outcome_reason}", markup=False)


def review(
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.")] = 8070,
    store: StoreOption = None,
) -> None:
    """Serve the review pages on 127.0.0.1; a decision made there is yours."""
    from modelwarrant.cli.desks import review as serve

    def opened(address: str) -> None:
        note(f"review pages on {address} (the address is a secret of yours; Ctrl-C ends)")

    serve(store, port=port, opened=opened)
