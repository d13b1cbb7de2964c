"""Which options do commands share, and how do they answer?"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

_LONG = frozenset({"what", "detail", "why"})
"""Columns of sentences, the only ones that wrap."""

_WHOLE = 9
"""Columns up to this width are shown whole, and a request's id, which is typed again, always is."""

_PIPE = 160
"""Width where nobody's screen limits it."""

__all__ = [
    "JsonOption",
    "KeyOption",
    "ModelArgument",
    "ProjectOption",
    "StoreOption",
    "VerboseOption",
    "answer_json",
    "note",
    "out",
    "table",
]


def _project_model() -> str:
    """Return the model of the project in this folder.

    Raises:
        typer.BadParameter: there is no project here.
        ProjectError: there is one that cannot be read.
    """
    from modelwarrant.project import DEFAULT_FILE, load

    if not Path(DEFAULT_FILE).is_file():
        raise typer.BadParameter(f"say which MODEL: no {DEFAULT_FILE} in this folder names one")
    return load(Path(DEFAULT_FILE)).model


ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        default_factory=_project_model,
        show_default=False,
        help="The model's name; default: that of the project in this folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="WARRANT_STORE",
        show_default=".warrant",
        help="A folder, or s3://bucket/prefix.",
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="WARRANT_SSH_KEY",
        metavar="FILE",
        help="Sign with this SSH key; without it you are asserted, not proven.",
    ),
]
ProjectOption = Annotated[
    Path, typer.Option("--project", "-p", help="The project file.", show_default="warrant.yaml")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log to stderr.")]


def answer_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    json.dump(document, sys.stdout, indent=2, sort_keys=True, allow_nan=False)
    sys.stdout.write("\n")


def out() -> "Console":
    """Return the console for answers: colours only where stdout is a terminal, text as it is."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def note(message: str) -> None:
    """Say something beside the answer, on stderr."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the command's own voice


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a plain table, cut to the terminal where there is one; None is a dash."""
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    for place, column in enumerate(columns):
        wraps = column in _LONG
        longest = max([len(column), *(len(row[place]) for row in cells)])
        whole = longest if column == "id" or (longest <= _WHOLE and not wraps) else None
        shown.add_column(column, no_wrap=not wraps, overflow="ellipsis", min_width=whole)
    for row in cells:
        shown.add_row(*row)
    console = out()
    if not sys.stdout.isatty():
        console.width = _PIPE
    console.print(shown)
