"""At which gate does this person stand: the laptop's, or a cluster's?

``WARRANT_GATE`` names the namespace of a cluster's gate. Then requests are read from and answered
at the API server, as the person of the kubeconfig; the store is needed for evidence alone.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gate.review import Evidence
from gate.review import serve_review as serve_pages
from modelwarrant.cli.deciding import (
    LaptopDesk,
    decide_request,
    describe_request,
    list_requests,
    withdraw_request,
)
from modelwarrant.cli.knowledge import open_place
from modelwarrant.errors import IllegalOperationError, MissingExtraError, RequestError
from modelwarrant.records import PromotionRequest
from modelwarrant.registry import ssh
from modelwarrant.reports import run_page
from modelwarrant.stage.settings import read_settings
from modelwarrant.stage.stores import open_told_store
from modelwarrant.storage import ObjectStore

if TYPE_CHECKING:
    from gate.clusterdesk import ClusterDesk

__all__ = [
    "answer",
    "ask_cluster",
    "cluster_desk",
    "listed",
    "open_cluster_store",
    "review",
    "shown",
    "withdrawn",
]

_PAGES = Path(".warrant") / "work"


def cluster_desk(store: str | None) -> "ClusterDesk | None":
    """Return the desk at a cluster's gate, None where this person works on a laptop's store.

    Raises:
        MissingExtraError: the Kubernetes client is not installed.
        RequestError: there is no cluster to talk to.
    """
    settings = read_settings()
    if settings.gate is None:
        return None
    try:
        from gate.cluster import Cluster
        from gate.clusterdesk import ClusterDesk
    except ImportError as error:
        raise MissingExtraError(
            "a cluster's gate needs its client: pip install 'modelwarrant[kubeflow]'"
        ) from error
    uri = store or settings.store
    return ClusterDesk(Cluster.connect(settings.gate), lambda: open_cluster_store(uri))


def open_cluster_store(uri: str) -> ObjectStore:
    """Open the store of a cluster from outside, for its evidence.

    Raises:
        RequestError: it is a folder of this machine.
    """
    if not uri.startswith("s3://"):
        raise RequestError(
            f"WARRANT_GATE is set, and {uri} is a folder of this machine: the evidence lies in the "
            "cluster's store; set WARRANT_STORE=s3://modelwarrant, WARRANT_S3_ENDPOINT and the "
            "credentials of the store's user reviewer (docs/cluster.md)"
        )
    return open_told_store(uri)


def listed(store: str | None, *, everything: bool) -> tuple[PromotionRequest, ...]:
    """Return the requests that wait, or all of them."""
    desk = cluster_desk(store)
    if desk is None:
        return list_requests(open_place(store), everything=everything)
    return tuple(each for each in desk.requests() if everything or each.outcome is None)


def shown(store: str | None, name: str) -> tuple[PromotionRequest, Evidence | None, Path | None]:
    """Return a request, what its verdict rests on, and a page of it as it is now."""
    desk = cluster_desk(store)
    if desk is None:
        return describe_request(open_place(store), name)
    request = desk.request(name)
    evidence = desk.evidence(request)
    if evidence is None:
        return request, None, None
    return request, evidence, _page(request, evidence)


def _page(request: PromotionRequest, evidence: Evidence) -> Path:
    page = _PAGES / request.model / "requests" / f"{request.id}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    drawn = run_page(**vars(evidence), request=request, approvals=request.approvals)
    page.write_text(drawn, encoding="utf-8")
    return page


def answer(
    store: str | None,
    name: str,
    *,
    verdict: Literal["Approved", "Rejected"],
    reason: str,
    self_approve: bool,
    key: Path | None,
) -> PromotionRequest:
    """Answer as this person, about exactly the candidate and evidence that the request names."""
    desk = cluster_desk(store)
    if desk is None:
        return decide_request(
            open_place(store),
            name,
            verdict=verdict,
            reason=reason,
            self_approve=self_approve,
            key=key,
        )
    request = desk.request(name)
    return desk.answer(
        name,
        "approve" if verdict == "Approved" else "reject",
        reason=reason,
        candidate_digest=request.candidate_digest,
        evidence_digest=request.evidence_digest,
        self_approve=self_approve,
        sign=None if key is None else partial(ssh.sign, key=key),
    )


def withdrawn(store: str | None, name: str) -> PromotionRequest:
    """Take a request of this person's back."""
    desk = cluster_desk(store)
    if desk is None:
        return withdraw_request(open_place(store), name)
    return desk.answer(
        name,
        "withdraw",
        reason="withdrawn by who asked",
        candidate_digest=None,
        evidence_digest=None,
        self_approve=False,
    )


def review(store: str | None, *, port: int, opened: Callable[[str], None]) -> None:
    """Serve the review pages until the person ends them."""
    serve_pages(cluster_desk(store) or LaptopDesk(open_place(store)), port=port, opened=opened)


def ask_cluster(
    desk: "ClusterDesk",
    operation: Literal["rollback", "tombstone", "ratify"],
    model: str,
    *,
    target: str,
    reason: str,
    document: str | None = None,
) -> PromotionRequest:
    """Ask a cluster's gate for what is no promotion.

    Raises:
        IllegalOperationError: the gate did not apply it; the message is its reason.
    """
    request = desk.ask(operation, model, target=target, reason=reason, document=document)
    if request.outcome is not None and request.outcome != "applied":
        raise IllegalOperationError(f"{operation}: {request.outcome}: {request.outcome_reason}")
    return request
