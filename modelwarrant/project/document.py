"""What does a YAML file say, on which line?

A file is read as a tree of nodes that remember their lines, so that every problem is named by its
line, and all of them at once. Text stays as it was written: ``No`` is a column's name, ``0:50`` a
window, ``1`` a label. Aliases and doubled keys are refused.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, Literal

import yaml

from modelwarrant.canonical import Json
from modelwarrant.errors import ProjectError

__all__ = ["Document", "Label", "is_null", "parse_document"]

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES: Final = 1 << 20
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_WHOLE: Final = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Label:
    """A class or level as text, and what it was in the file."""

    text: str
    kind: Literal["text", "integer", "boolean"]


@dataclass
class Document:
    """One file while it is read; problems are collected, not raised one by one."""

    name: str
    root: yaml.Node
    problems: list[tuple[int, str]] = field(default_factory=list)

    def problem(self, node: yaml.Node, text: str) -> None:
        """Note what is wrong at a node."""
        self.problems.append((node.start_mark.line + 1, text))

    def finish(self) -> None:
        """End the reading.

        Raises:
            ProjectError: there were problems; one line each, ``file:line: what``.
        """
        if self.problems:
            raise ProjectError(
                "\n".join(f"{self.name}:{line}: {text}" for line, text in sorted(self.problems))
            )

    def mapping(
        self, node: yaml.Node, what: str, *, known: Collection[str] | None = None
    ) -> dict[str, yaml.Node]:
        """Return a mapping's nodes by key, as written.

        Args:
            node: what should be a mapping.
            what: its name, for messages.
            known: the valid keys; None allows any.
        """
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, f"{what} must be a mapping of keys to values")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, f"{what}: a key must be a plain word")
            elif key.value in found:
                self.problem(key, f"{what}: the key {key.value!r} stands twice")
            elif known is not None and key.value not in known:
                self.problem(key, _unknown(what, key.value, known))
            else:
                found[key.value] = value
        return found

    def text(self, node: yaml.Node, what: str) -> str | None:
        """Return a scalar as it was written; whatever YAML takes it for."""
        if isinstance(node, yaml.ScalarNode) and node.value and not is_null(node):
            return str(node.value)
        self.problem(node, f"{what} must be a text")
        return None

    def choice(self, node: yaml.Node, what: str, known: Collection[str]) -> str | None:
        """Return a text that is one of those known."""
        text = self.text(node, what)
        if text is None or text in known:
            return text
        near = get_close_matches(text, known, n=1)
        self.problem(
            node,
            f"{what} is {text!r}"
            + (f" (did you mean {near[0]!r}?)" if near else "")
            + f"; it must be one of {', '.join(known)}",
        )
        return None

    def number(self, node: yaml.Node, what: str) -> float | None:
        """Return a finite number, also one that YAML 1.1 takes for text (``1e-3``)."""
        if isinstance(node, yaml.ScalarNode) and _is_plain(node) and _NUMBER.fullmatch(node.value):
            return float(node.value)
        self.problem(node, f"{what} must be a number")
        return None

    def whole(self, node: yaml.Node, what: str) -> int | None:
        """Return a whole number."""
        if isinstance(node, yaml.ScalarNode) and _is_plain(node) and _WHOLE.fullmatch(node.value):
            return int(node.value)
        self.problem(node, f"{what} must be a whole number")
        return None

    def flag(self, node: yaml.Node, what: str) -> bool | None:
        """Return true or false."""
        if isinstance(node, yaml.ScalarNode) and node.value.lower() in ("true", "false"):
            return bool(node.value.lower() == "true")
        self.problem(node, f"{what} must be true or false")
        return None

    def items(self, node: yaml.Node, what: str) -> Iterator[yaml.Node]:
        """Yield the nodes of a list."""
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        else:
            self.problem(node, f"{what} must be a list: [a, b]")

    def label(self, node: yaml.Node, what: str) -> Label | None:
        """Return a label; ``1`` and ``"1"`` have one text, ``yes`` is text."""
        text = self.text(node, what)
        if text is None:
            return None
        if _is_plain(node) and _WHOLE.fullmatch(text):
            return Label(text, "integer")
        if _is_plain(node) and text.lower() in ("true", "false"):
            return Label(text.lower(), "boolean")
        return Label(text, "text")

    def json(self, node: yaml.Node, what: str) -> Json:
        """Return a value of JSON: null, true, false, finite numbers, texts, lists, mappings."""
        if isinstance(node, yaml.MappingNode):
            pairs = self.mapping(node, what).items()
            return {key: self.json(value, f"{what}.{key}") for key, value in pairs}
        if isinstance(node, yaml.SequenceNode):
            return [self.json(item, what) for item in node.value]
        return self._scalar(node, what)

    def _scalar(self, node: yaml.Node, what: str) -> Json:
        text = str(node.value)
        if not _is_plain(node):
            return text
        if is_null(node):
            return None
        if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
            return text.lower() == "true"
        if _WHOLE.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
        if node.tag in (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool", f"{_TAG}timestamp"):
            self.problem(node, f"{what} is {text!r}; quote it, or write a plain number")
        return text


def parse_document(data: bytes, *, name: str) -> Document:
    """Parse one YAML document.

    Args:
        data: UTF-8.
        name: the file, for messages.

    Raises:
        ProjectError: not UTF-8, not YAML, several documents, an alias, or nothing.
    """
    if len(data) > _MAX_BYTES:
        raise ProjectError(f"{name}: longer than {_MAX_BYTES >> 20} MiB; this is no project file")
    try:
        root = yaml.compose(data.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProjectError(f"{name}:{line}: not UTF-8; save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise ProjectError(
            f"{name}:{line}: not YAML: {error.problem or error.context}; "
            "a value with a colon, a comma or a leading > must be quoted"
        ) from error
    except yaml.YAMLError as error:
        raise ProjectError(f"{name}: not YAML: {error}") from error
    except RecursionError as error:
        raise ProjectError(f"{name}: nested too deeply") from error
    if root is None:
        raise ProjectError(f"{name}: the file is empty; `warrant init` writes one")
    _refuse_aliases(root, name)
    return Document(name, root)


def _refuse_aliases(root: yaml.Node, name: str) -> None:
    """Refuse a node that stands in two places: shared nodes can grow without bound when walked."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            raise ProjectError(
                f"{name}:{node.start_mark.line + 1}: aliases (&, *) are not read; write it out"
            )
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _is_plain(node: yaml.Node) -> bool:
    """Return whether a scalar was written without quotes and without a block mark."""
    return isinstance(node, yaml.ScalarNode) and node.style in (None, "")


def is_null(node: yaml.Node) -> bool:
    """Return whether a node is an unquoted null."""
    return bool(_is_plain(node) and node.tag == f"{_TAG}null")


def _unknown(what: str, key: str, known: Collection[str]) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"valid keys are {', '.join(known)}"
    return f"{what}: unknown key {key!r}; {hint}"
