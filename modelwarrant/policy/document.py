"""How is a policy read from a file, and what is wrong with one that cannot be read?

YAML without its surprises: every scalar is text until a field says what it is, so ``yes`` stays
``yes``; aliases are refused; a doubled or unknown key is an error with its line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any, NoReturn, TypeVar

import yaml

from modelwarrant.errors import PolicyError
from modelwarrant.policy.levels import LEVELS, VERDICTS
from modelwarrant.policy.table import Condition, Policy, Row, Thresholds
from modelwarrant.policy.wording import FACTS, PLACEHOLDER

__all__ = ["default_policy", "default_text", "load"]

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Text scalars only; libyaml's parser where the wheel has it."""

_LARGEST_FILE = 1_000_000
"""Bytes; the shipped policy has 5,000."""

_KEYS = ("policy", "thresholds", "approvals_required", "rows", "schema_version")
_ROW_KEYS = ("name", "if", "verdict", "reason")
_MOST_APPROVALS = 10

T = TypeVar("T")


def default_text() -> str:
    """Return the shipped ``default.yaml``, comments included: what a team starts from."""
    return resources.files(__package__).joinpath("default.yaml").read_text(encoding="utf-8")


@cache
def default_policy() -> Policy:
    """Return the shipped policy."""
    return load(default_text().encode(), name="the shipped policy")


def load(data: bytes, *, name: str) -> Policy:
    """Read a policy from YAML, or from the canonical JSON of ``Policy.to_bytes``.

    Thresholds that are absent take their defaults. What the rows together mean is ``lint``'s
    question.

    Args:
        data: UTF-8 bytes.
        name: the file read, for error messages.

    Raises:
        PolicyError: names file, line and row.
    """
    reader = _Reader(name)
    root = reader.mapping(reader.parse(data), "the policy", _KEYS)
    version = reader.optional(root, "schema_version", reader.text, "1")
    if version != "1":
        reader.fail(root["schema_version"], f"schema_version {version!r} is unknown, expected 1")
    if "rows" not in root:
        raise PolicyError(f"{name}: a policy needs 'rows'")
    rows = tuple(reader.row(node) for node in reader.items(root["rows"], "rows"))
    if not rows:
        reader.fail(root["rows"], "a policy needs at least one row")
    for index, row in enumerate(rows):
        if row.name in [other.name for other in rows[:index]]:
            reader.fail(root["rows"].value[index], f"row {row.name!r} stands twice")
    return Policy(
        name=reader.optional(root, "policy", reader.text, "unnamed"),
        rows=rows,
        thresholds=reader.optional(root, "thresholds", reader.thresholds, Thresholds()),
        approvals_required=reader.optional(root, "approvals_required", reader.approvals, 1),
    )


class _Reader:
    """Walks YAML nodes; every error carries the file and the line."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fail(self, node: yaml.Node, message: str) -> NoReturn:
        """Raise the error of a node."""
        raise PolicyError(f"{self._name}, line {_line(node)}: {message}")

    def parse(self, data: bytes) -> yaml.Node:
        """Return the root node of the only document."""
        if len(data) > _LARGEST_FILE:
            raise PolicyError(f"{self._name}: {len(data):,} bytes are no policy")
        try:
            text = data.decode("utf-8")
            for event in yaml.parse(text, Loader=_Loader):
                if isinstance(event, yaml.AliasEvent):
                    raise PolicyError(f"{self._name}, line {_line(event)}: aliases are not allowed")
            root = yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            said = " ".join(str(error).split()) or "nested too deeply"
            raise PolicyError(f"{self._name}: not YAML: {said}") from error
        if root is None:
            raise PolicyError(f"{self._name}: the policy is empty")
        return root

    def mapping(self, node: yaml.Node, what: str, allowed: tuple[str, ...]) -> dict[str, yaml.Node]:
        """Return a mapping's values by key."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"{what} must be a mapping of {', '.join(allowed)}")
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self.text(key_node, "a key")
            if key not in allowed:
                self.fail(key_node, f"{what} has no {key!r}; it has {', '.join(allowed)}")
            if key in found:
                self.fail(key_node, f"{what}: {key!r} stands twice")
            found[key] = value
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """Return the items of a sequence."""
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, f"{what} must be a list")
        return list(node.value)

    def optional(
        self,
        found: Mapping[str, yaml.Node],
        key: str,
        read: Callable[[yaml.Node, str], T],
        default: T,
    ) -> T:
        """Read a key, or return the default where it is absent."""
        return read(found[key], key) if key in found else default

    def text(self, node: yaml.Node, what: str) -> str:
        """Return a scalar's text."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fail(node, f"{what} must be a text that is not empty")
        return str(node.value)

    def number(self, node: yaml.Node, what: str, low: float, high: float) -> float:
        """Return a finite number in [low, high]."""
        text = self.text(node, what)
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number) or not low <= number <= high:
            self.fail(node, f"{what} must be a number from {low:g} to {high:g}, not {text!r}")
        return number

    def integer(self, node: yaml.Node, what: str, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        number = self.number(node, what, low, high)
        if number != int(number):
            self.fail(node, f"{what} must be a whole number, not {node.value!r}")
        return int(number)

    def approvals(self, node: yaml.Node, what: str) -> int:
        """Return the number of approvals."""
        return self.integer(node, what, 1, _MOST_APPROVALS)

    def thresholds(self, node: yaml.Node, what: str) -> Thresholds:
        """Return the thresholds, defaults filled in."""
        allowed = tuple(each.name for each in fields(Thresholds))
        found = self.mapping(node, what, allowed)
        shares: dict[str, Any] = {
            key: self.number(value, f"threshold {key!r}", 0, 1)
            for key, value in found.items()
            if key != "min_labels"
        }
        values = replace(Thresholds(), **shares)
        if "min_labels" in found:
            labels = self.integer(found["min_labels"], "threshold 'min_labels'", 1, 10**9)
            values = replace(values, min_labels=labels)
        for key, problem in _impossible(values):
            self.fail(found.get(key, node), f"threshold {key!r} {problem}")
        return values

    def row(self, node: yaml.Node) -> Row:
        """Return one row of the table."""
        found = self.mapping(node, "a row", _ROW_KEYS)
        for key in ("name", "verdict", "reason"):
            if key not in found:
                self.fail(node, f"a row needs {key!r}")
        name = self.text(found["name"], "a row's name")
        what = f"row {name!r}"
        verdict = self.text(found["verdict"], f"{what}: verdict")
        known = next((each for each in VERDICTS if each == verdict), None)
        if known is None:
            self.fail(
                found["verdict"], f"{what}: verdict {verdict!r} is not one of {', '.join(VERDICTS)}"
            )
        return Row(
            name=name,
            any_of=tuple(self._conditions(found.get("if"), what)),
            verdict=known,
            reason=self._template(found["reason"], what),
        )

    def _conditions(self, node: yaml.Node | None, what: str) -> Iterator[Condition]:
        if node is None:
            yield {}
        elif isinstance(node, yaml.SequenceNode):
            if not node.value:
                self.fail(node, f"{what}: an empty list of conditions is never met")
            yield from (self._condition(each, what) for each in node.value)
        else:
            yield self._condition(node, what)

    def _condition(self, node: yaml.Node, what: str) -> Condition:
        found = self.mapping(node, f"{what}: 'if'", tuple(LEVELS))
        condition = {}
        for level, known in LEVELS.items():
            if level not in found:
                continue
            value = found[level]
            nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
            named = [self.text(each, f"{what}: {level}") for each in nodes]
            for each, text in zip(nodes, named, strict=True):
                if text not in known:
                    said = ", ".join(known)
                    self.fail(each, f"{what}: {level} is never {text!r}; it is one of {said}")
            if not named:
                self.fail(value, f"{what}: {level} names no value, so the row is never met")
            condition[level] = tuple(each for each in known if each in named)
        return condition

    def _template(self, node: yaml.Node, what: str) -> str:
        template = self.text(node, f"{what}: reason")
        for fact in PLACEHOLDER.findall(template):
            if fact not in FACTS:
                said = ", ".join(sorted(FACTS))
                self.fail(node, f"{what}: the reason names {{{fact}}}; known are {said}")
        if set(PLACEHOLDER.sub("", template)) & set("{}"):
            self.fail(node, f"{what}: the reason has an unpaired brace")
        return template


def _line(at: yaml.Node | yaml.Event) -> int:
    mark = at.start_mark
    return 0 if mark is None else mark.line + 1


def _impossible(values: Thresholds) -> Iterator[tuple[str, str]]:
    """Find thresholds that contradict themselves or each other."""
    if not 0 < values.alpha < 0.5:
        yield "alpha", "must lie between 0 and 0.5, both excluded"
    if not 0.5 <= values.power < 1:
        yield "power", "must lie between 0.5 and 1, 1 excluded"
    for key in ("margin", "margin_ni", "margin_total", "margin_slices"):
        if getattr(values, key) >= 1:
            yield key, "is a share of the loss and must be below 1"
    if values.min_gain <= values.margin:
        yield "min_gain", f"must exceed margin {values.margin:g}, or no number of labels suffices"
    if values.margin_slices < values.margin_ni:
        yield "margin_slices", f"must be at least margin_ni {values.margin_ni:g}"
