"""Which text does ``warrant init`` write?

A project file that a stranger can read: each guess with what it rests on, and what was left out
with the reason, ready to be put back.
"""

import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import yaml

from modelwarrant.errors import ProjectError
from modelwarrant.project.periods import period_text
from modelwarrant.project.sections import METRICS, RECIPES
from modelwarrant.sources import Inferred, LeftOut
from modelwarrant.windows import Feature, FeatureSchema

__all__ = ["initial_project_text", "model_name", "write_project"]

_PLAIN: Final = re.compile(r"[A-Za-z_/][\w./-]*(://[\w./-]+)?( [\w./-]+)*", re.ASCII)
_SEED: Final = 7
_COMMENT_COLUMN: Final = 44
_WIDTH: Final = 100
_SUFFIXES: Final = (".gz", ".csv", ".parquet", ".pq", ".txt", ".tsv")


def initial_project_text(inferred: Inferred, *, source: str, model: str | None = None) -> str:
    """Return the text of a first project file.

    Args:
        inferred: schema and windows with a target; see ``sources.infer``.
        source: as it shall stand in the file, relative to the file's folder.
        model: the model's name; default from the source's name.

    Raises:
        ValueError: the schema has no target.
    """
    schema, notes = inferred.schema, inferred.notes
    if schema.target is None or schema.task is None:
        raise ValueError("a project file needs a target")
    lines = [
        f"# Guessed by `warrant init` from {inferred.rows:,} rows. Correct what is wrong: every",
        "# comment says what was seen. `#` in front of a line leaves it out.",
        _line(f"model: {scalar(model or model_name(source))}"),
        _line(f"task: {schema.task}", notes.get("task", "")),
        _line(f"source: {scalar(source)}"),
        _line(f"target: {scalar(schema.target)}", notes.get("target", "")),
        *_labels(inferred),
    ]
    if schema.time is None:
        lines.append(_line("# time: COLUMN", notes.get("time", "")))
    else:
        lines.append(_line(f"time: {scalar(schema.time)}", notes.get("time", "")))
    lines += ["", "features:"]
    for feature in schema.features:
        lines.append(_line(_feature(feature), inferred.features.get(feature.name, "")))
    lines += list(_left_out(inferred.left_out))
    lines += ["", *_windows(inferred)]
    lines += [f"recipe: {{model: {RECIPES[0]}, seed: {_SEED}}}"]
    lines.append(_line(f"metric: {METRICS[schema.task][0]}", _others(schema)))
    lines += [
        f"# slices: [{scalar(schema.features[0].name)}]"
        "   # columns within which the models are compared, too",
        "# policy: policy.yaml   # the shipped one decides when absent",
        "# owner: team-name",
        "# purpose: what the predictions are used for",
        "# review_by: 2030-01-31   # afterwards a promotion needs a person",
        "# monitor_every: 7d",
        "# label_delay: 30d",
    ]
    return "\n".join(lines) + "\n"


def write_project(path: Path, text: str, *, force: bool = False) -> None:
    """Write a project file; another's is replaced only on demand, and then at once.

    Args:
        path: where; its folder must exist.
        text: what ``initial_project_text`` gave.
        force: whether an existing file is replaced.

    Raises:
        ProjectError: the file exists and ``force`` is not given, or it cannot be written.
    """
    target = path.with_name(f".{path.name}.{os.getpid()}.part") if force else path
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        target.replace(path)
    except FileExistsError as error:
        raise ProjectError(f"{target} exists; give --force to write it anew") from error
    except OSError as error:
        raise ProjectError(f"{path}: cannot be written: {error.strerror}") from error


def model_name(source: str) -> str:
    """Return a model's name made from a source's.

    >>> model_name("data/Bike Sharing.csv.gz"), model_name("sklearn://breast_cancer")
    ('bike-sharing', 'breast-cancer')
    """
    name = PurePosixPath(source.split("?", 1)[0].split("://", 1)[-1]).name
    while any(name.lower().endswith(suffix) for suffix in _SUFFIXES):
        name = name.rpartition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return slug or "model"


def scalar(text: str) -> str:
    """Return a YAML scalar that reads as this text, quoted only where it must be.

    >>> scalar("nswprice"), scalar(">50K"), scalar("No"), scalar("1")
    ('nswprice', '">50K"', '"No"', '"1"')
    """
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    dumped = yaml.safe_dump(text, default_style='"', width=float("inf"), allow_unicode=True)
    return dumped.strip()


def _line(text: str, comment: str = "") -> str:
    """Put a comment beside its key, or above where the line would grow too long."""
    if not comment:
        return text
    line = f"{text:<{_COMMENT_COLUMN}} # {_one_line(comment)}"
    if len(line.splitlines()[-1]) <= _WIDTH or text.lstrip().startswith("#"):
        return line
    indent = text[: len(text) - len(text.lstrip())]
    return f"{indent}# {_one_line(comment)}\n{text}"


def _one_line(text: str) -> str:
    """Keep a comment a comment, whatever a column's name holds."""
    return "".join(c if c.isprintable() else " " for c in text)


def _labels(inferred: Inferred) -> Iterator[str]:
    schema = inferred.schema
    if schema.classes is None:
        return
    yield _line(
        f"classes: [{', '.join(_label(schema, label) for label in schema.classes)}]",
        "every label there is; another one stops a run",
    )
    if schema.positive is not None:
        note = inferred.notes.get("positive", "")
        yield _line(f"positive: {_label(schema, schema.positive)}", note)


def _label(schema: FeatureSchema, label: str) -> str:
    return scalar(label) if schema.class_kind == "text" else label


def _feature(feature: Feature) -> str:
    """Return a feature's flow mapping, broken between its words where the line grows too long."""
    words = [f"kind: {feature.kind}"]
    if feature.range is not None:
        low, high = (_number(bound) for bound in feature.range)
        words.append(f"range: [{low}, {high}]")
    if feature.categories is not None:
        levels = [scalar(level) for level in feature.categories]
        words += [f"categories: [{levels[0]}", *levels[1:]]
        words[-1] += "]"
    if feature.missing:
        words.append("missing: true")
    lines = [f"  {scalar(feature.name)}: {{{words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > _WIDTH:
            lines[-1] += ","
            lines.append(f"      {word}")
        else:
            lines[-1] += f", {word}"
    return "\n".join(lines) + "}"


def _number(bound: float | None) -> str:
    if bound is None:
        return "null"
    return str(int(bound)) if bound.is_integer() else repr(bound)


def _left_out(columns: tuple[LeftOut, ...]) -> Iterator[str]:
    """Yield commented features: those that give the target away apart from the rest."""
    leaks = [column for column in columns if column.is_leak]
    others = [column for column in columns if not column.is_leak]
    if leaks:
        yield "  # Left out, for they give the target away; put back what is known beforehand:"
        yield from map(_commented, leaks)
    if others:
        yield "  # Left out:"
        yield from map(_commented, others)


def _commented(column: LeftOut) -> str:
    if column.feature is None:
        return f"  # {_one_line(column.name) or '(no name)'}: {_one_line(column.reason)}"
    declared = column.feature
    if declared.categories is not None:
        declared = declared.model_copy(update={"categories": None})
    return _line("  # " + _one_line(_feature(declared).strip()), column.reason)


def _windows(inferred: Inferred) -> Iterator[str]:
    note = f"Two windows, {_one_line(inferred.notes.get('windows', ''))}."
    yield from textwrap.wrap(note, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield "windows:"
    yield _line(f"  reference: {inferred.reference}", "for the first model, to compare with")
    yield _line(f"  current: {inferred.current}")

    yield _line(f"  final: {inferred.final:g}", "the newest share: it judges, and trains no model")
    yield _line("  train: both", "or current, or a window of its own")
    if inferred.season is not None:
        yield _line(
            f"  season: {period_text(inferred.season)}", "after which the data repeats itself"
        )


def _others(schema: FeatureSchema) -> str:
    assert schema.task is not None  # noqa: S101 - the caller has checked it
    return f"or {', '.join(METRICS[schema.task][1:])}"
