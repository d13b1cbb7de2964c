"""Who are the people of these tests, and which states does a promotion request go through?"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from tests.cluster.admission.api import Answer, Api, Caller, Json

__all__ = ["ROLES", "STATES", "Case", "Requests"]

ALICE = Caller("alice")
"""Asks, and may approve what others ask for."""
BOB = Caller("bob")
"""Asks; may update requests, as every requester, but approve none."""
ERIN = Caller("erin")
"""Approves."""
FRANK = Caller("frank")
"""Approves."""
OLGA = Caller("olga")
"""Operates: asks for rollbacks and for new policies, and may decide about both."""
NINA = Caller("nina")
"""Approves models called ``other``, and no more."""
CARL = Caller("carl")
"""Cleans up: may delete requests, without the verb purge."""
MALLORY = Caller("mallory")
"""Has no role at all."""
ADMIN = Caller("root", ("system:masters",))
"""May do everything that RBAC knows of, and still writes no status."""
PIPELINES = Caller("system:serviceaccount:kubeflow:pipeline-runner")
"""The pipelines' service account; here it was given far too many rights by mistake."""
GATE = Caller("system:serviceaccount:modelwarrant-system:gate")
NAMESPACES = Caller("system:serviceaccount:kube-system:namespace-controller")
GARBAGE = Caller("system:serviceaccount:kube-system:generic-garbage-collector")

ROLES: dict[str, tuple[Caller, ...]] = {
    "promotion-requester": (ALICE, BOB, OLGA),
    "promotion-approver": (ALICE, ERIN, FRANK, OLGA, PIPELINES),
    "promotion-operator": (OLGA, PIPELINES),
    "promotion-ratifier": (OLGA, PIPELINES),
    "gate": (GATE,),
    "pipelines": (PIPELINES,),
}
"""Roles of the manifests, by name."""

MODEL = "demand"
CANDIDATE = "sha256:" + "c" * 64
OTHER = "sha256:" + "0" * 64
POLICY_TEXT = "sha256:" + "b" * 64

HANDED_IN: Json = {
    "candidate": {
        "digest": CANDIDATE,
        "evidence_digest": "sha256:" + "e" * 64,
        "policy_digest": "sha256:" + "b" * 64,
        "package": "in/demand/7/",
        "package_digest": "sha256:" + "d" * 64,
    },
    "verdict": "NEEDS_APPROVAL",
}
RUN_FACTS: Json = {"uid": "6f1e", "workflow": "lifecycle-x7"}
ENTRY: Json = {"seq": 12, "hash": "sha256:" + "a" * 64}

Change = Callable[[Json], None]


def spec(**fields: object) -> Change:
    """Set fields of the spec; None takes one away."""

    def change(item: Json) -> None:
        for name, value in fields.items():
            item["spec"][name] = deepcopy(value)
            if value is None:
                del item["spec"][name]

    return change


def part(name: str, /, **fields: object) -> Change:
    """Set fields of a part of the spec, for example of the run."""
    return lambda item: item["spec"][name].update(fields)


def status(**fields: object) -> Change:
    """Set fields of the status; None takes one away."""

    def change(item: Json) -> None:
        kept = {**item.get("status", {}), **fields}
        item["status"] = {name: value for name, value in kept.items() if value is not None}

    return change


def answer(
    by: Caller, verdict: str = "Approved", *, digest: str = CANDIDATE, reason: str = "looks right"
) -> Change:
    """Add one decision."""

    def change(item: Json) -> None:
        decision = {"verdict": verdict, "approver": by.name, "candidate_digest": digest}
        item["spec"].setdefault("decisions", []).append({**decision, "reason": reason})

    return change


def both(*changes: Change) -> Change:
    """Make several changes at once."""

    def change(item: Json) -> None:
        for one in changes:
            one(item)

    return change


ask_rollback = spec(operation="rollback", run=None, target="3")
ask_ratification = spec(operation="ratify", run=None, target=POLICY_TEXT, document="gates: []")
hand_in = both(spec(**HANDED_IN), part("run", **RUN_FACTS))

Step = tuple[Caller, str, Change]

_ASKED: Step = (ALICE, "", spec())
_HANDED_IN = (_ASKED, (PIPELINES, "", hand_in))
_DECIDED = (*_HANDED_IN, (ERIN, "", answer(ERIN)))

STATES: dict[str, tuple[Step, ...]] = {
    "asked": (_ASKED,),
    "handed in": _HANDED_IN,
    "decided": _DECIDED,
    "closed": (*_HANDED_IN, (GATE, "status", status(outcome="expired"))),
    "withdrawn": (*_HANDED_IN, (ALICE, "", spec(withdrawn=True))),
    "landed": (*_DECIDED, (GATE, "status", status(outcome="promoted", ledger=ENTRY))),
    "ended before the candidate": (_ASKED, (GATE, "status", status(outcome="cancelled"))),
    "unannounced": ((PIPELINES, "", hand_in),),
    "rollback": ((OLGA, "", ask_rollback),),
    "ratify": ((OLGA, "", ask_ratification),),
    "canary": (
        (OLGA, "", spec(operation="abort", run=None)),
        (GATE, "status", status(ledger=ENTRY)),
    ),
}
"""How a request gets where it is: who did what, to the object or to its status. All of it legal."""


@dataclass(frozen=True)
class Case:
    """One forbidden act.

    Attributes:
        what: somebody tries to do.
        layer: that denies it.
        says: what the denial says, beginning with the rule's name.
        by: who tries.
        state: of the request; empty: the case creates it.
        change: that he writes.
        at: ``status``, ``delete`` or empty.
    """

    what: str
    layer: str
    says: str
    by: Caller
    state: str
    change: Change
    at: str = ""


@dataclass
class Requests:
    """Requests of one kind in one namespace, in any state of their lives.

    Attributes:
        api: the API server.
        group: of the kind; a scratch copy has another one.
        plural: of the kind.
        kind: its name.
        namespace: where the requests lie.
        labels: that every request here carries.
        is_ruled: roles and policy hold here, so everybody acts as himself; otherwise the
            administrator does everything, and the schema alone can say no.
    """

    api: Api
    group: str
    namespace: str
    plural: str = "promotionrequests"
    kind: str = "PromotionRequest"
    labels: dict[str, str] = field(default_factory=dict)
    is_ruled: bool = True
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Of the collection."""
        return f"/apis/{self.group}/v1/namespaces/{self.namespace}/{self.plural}"

    def body(self, by: Caller) -> Json:
        """Return a request as it is asked for, with every mandatory field."""
        return {
            "apiVersion": f"{self.group}/v1",
            "kind": self.kind,
            "metadata": {"generateName": "run-", "labels": self.labels},
            "spec": {
                "operation": "promote",
                "model": MODEL,
                "requester": by.name,
                "run": {"name": "7"},
                "reason": "weekly run",
                "expires": "2100-01-01T00:00:00Z",
            },
        }

    def attempt(self, case: Case) -> Answer:
        """Return what the server says to an act, which it judges to the end but does not do."""
        caller = case.by if self.is_ruled else None
        if not case.state:
            item = self.body(case.by)
            case.change(item)
            return self.api.call("POST", self.path, item, by=caller, dryRun="All")
        path = self.path_in(case.state)
        if case.at == "delete":
            return self.api.call("DELETE", path, by=caller, dryRun="All")
        item = self.api.call("GET", path).demand()
        case.change(item)
        path = f"{path}/{case.at}".rstrip("/")
        return self.api.call("PUT", path, item, by=caller, dryRun="All")

    def path_in(self, state: str) -> str:
        """Return the path of a request in this state; tests share it, so none may change it."""
        if state not in self._made:
            self._made[state] = self.new(state)
        return f"{self.path}/{self._made[state]}"

    def new(self, state: str) -> str:
        """Return the name of a new request that went through the steps to this state."""
        name = ""
        for by, at, change in STATES[state]:
            name = self._take(name, by, at, change)
        return name

    def _take(self, name: str, by: Caller, at: str, change: Change) -> str:
        path, caller = self.path, by if self.is_ruled else None
        if not name:
            item = self.body(by)
            change(item)
            made = self.api.call("POST", path, item, by=caller).demand()
            return str(made["metadata"]["name"])
        item = self.api.call("GET", f"{path}/{name}").demand()
        change(item)
        self.api.call("PUT", f"{path}/{name}/{at}".rstrip("/"), item, by=caller).demand()
        return name
