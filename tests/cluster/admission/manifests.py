"""What do the gate's manifests say, and what would they say with one rule taken away?"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.admission.api import Json

__all__ = [
    "GATE_API",
    "GROUP",
    "Grant",
    "grants",
    "load",
    "policy_objects",
    "policy_rules",
    "role_rules",
    "schema",
    "schema_rules",
]

GATE_API = Path(__file__).parents[3] / "manifests/base/gate-api"
GROUP = "modelwarrant.dev"


def load(name: str) -> list[Json]:
    """Return the objects in a file of the gate's interface."""
    text = (GATE_API / name).read_text(encoding="utf-8")
    return [item for item in yaml.safe_load_all(text) if item]


def schema_rules() -> list[tuple[str, str]]:
    """Return where every CEL rule of the kind stands and what it says."""
    root = load("crd.yaml")[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return [(path, rule["message"]) for path, rules in _walk(root, "") for rule in rules]


def schema(*, group: str, plural: str, without: int | None = None) -> Json:
    """Return the kind's definition in another group, with all its rules or without one of them."""
    crd: Json = json.loads(json.dumps(load("crd.yaml")[0]))  # no part of it is shared any more
    names = crd["spec"]["names"]
    kind = "PromotionRequest" if without is None else plural.capitalize()
    names.update(plural=plural, singular=kind.lower(), kind=kind, listKind=f"{kind}List")
    del names["shortNames"], names["categories"]
    crd["spec"]["group"] = group
    crd["metadata"] = {"name": f"{plural}.{group}"}
    if without is not None:
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        places = [(rules, index) for _, rules in _walk(root, "") for index in range(len(rules))]
        rules, index = places[without]
        del rules[index]
    return crd


def policy_rules() -> list[str]:
    """Return the names of the policy's rules."""
    validations = load("policy.yaml")[0]["spec"]["validations"]
    return [rule["message"].partition(":")[0] for rule in validations]


def policy_objects(*, group: str, name: str, without: str, labels: dict[str, str]) -> list[Json]:
    """Return the policy for another group, without one of its rules, bound to labelled requests."""
    text = json.dumps(load("policy.yaml")).replace(GROUP, group)
    policy, binding = json.loads(text)
    policy["metadata"] = {"name": name}
    policy["spec"]["validations"] = [
        rule
        for rule in policy["spec"]["validations"]
        if rule["message"].partition(":")[0] != without
    ]
    binding["metadata"] = {"name": name}
    binding["spec"]["policyName"] = name
    binding["spec"]["matchResources"] = {"objectSelector": {"matchLabels": labels}}
    return [policy, binding]


@dataclass(frozen=True)
class Grant:
    """One verb on one resource that a role of the manifests gives."""

    role: str
    group: str
    resource: str
    verb: str
    name: str = ""


def role_rules(role: str, *, without: Grant | None = None) -> list[Json]:
    """Return a role's rules, one a resource, without one verb on one resource."""
    rules: list[Json] = []
    for rule in _roles()[role]:
        for resource in rule["resources"]:
            verbs = [
                verb
                for verb in rule["verbs"]
                if without is None or (resource, verb) != (without.resource, without.verb)
            ]
            if verbs:
                rules.append({**deepcopy(rule), "resources": [resource], "verbs": verbs})
    return rules


def grants() -> list[Grant]:
    """Return everything that the roles give, verb by verb."""
    return [
        Grant(role, rule["apiGroups"][0], resource, verb, *rule.get("resourceNames", []))
        for role, rules in _roles().items()
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def _roles() -> dict[str, list[Json]]:
    return {
        item["metadata"]["name"]: item["rules"]
        for item in load("rbac.yaml")
        if item["kind"] in ("Role", "ClusterRole")
    }


def _walk(node: Json, path: str) -> Iterator[tuple[str, list[Json]]]:
    rules = node.get("x-kubernetes-validations", [])
    if rules:
        yield path, rules
    for name, child in node.get("properties", {}).items():
        yield from _walk(child, f"{path}.{name}".lstrip("."))
    if "items" in node:
        yield from _walk(node["items"], f"{path}[]")
