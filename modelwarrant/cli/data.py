"""Commands that look at data: init and drift."""

from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import JsonOption, ProjectOption, answer_json, note, out

__all__ = ["register"]

_LEVELS = ("none", "notice", "unknown", "drift", "blocked")
"""From quiet to loud; ``unknown`` is louder than a notice, for it is no answer."""
EXIT_LEVEL_REACHED = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.command("drift")(drift)


def init(
    source: Annotated[
        str, typer.Argument(metavar="DATA", help="File, glob, s3://, https://, sklearn://.")
    ],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    time: Annotated[
        str | None, typer.Option("--time", help="The column to cut windows along.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="The model's name.")] = None,
    project: ProjectOption = Path("warrant.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the project file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at the data and write the project file, each guess commented."""
    from modelwarrant.cli.starting import initialise

    text, summary = initialise(
        source, target=target, time=time, model=model, project=project, force=force
    )
    if as_json:
        answer_json(summary)
        return
    out().print(text, markup=False)
    note(f"wrote {project}: read it, correct it, then `warrant run`")


def drift(
    reference: Annotated[str, typer.Argument(help="The older data: file, glob or address.")],
    current: Annotated[str, typer.Argument(help="The newer data.")],
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", metavar="LEVEL", help=f"Exit 10 from this level: {', '.join(_LEVELS[1:])}."
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="COLUMN", help="When a row is from; neighbours depend."),
    ] = None,
    season: Annotated[
        str | None,
        typer.Option(
            "--season", metavar="7d", help="The data repeats itself after it; needs --time."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Also write the HTML page here.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two files, feature by feature; needs no project file.

    With --season, drift is lasting only where CURRENT also differs from the rows of REFERENCE at
    the same place of the season before.
    """
    from modelwarrant import drift as detectors
    from modelwarrant.project import parse_period
    from modelwarrant.sources import read_table

    if fail_on is not None and fail_on not in _LEVELS[1:]:
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(_LEVELS[1:])}")
    if season is not None and time is None:
        raise typer.BadParameter("--season needs --time COLUMN")
    try:
        period = None if season is None else parse_period(season)
    except ValueError as error:
        raise typer.BadParameter(f"--season: {error}") from error
    folder = Path.cwd()
    report = detectors.compare(
        read_table(reference, base=folder),
        read_table(current, base=folder),
        time=time,
        season=period,
    )
    if page is not None:
        from modelwarrant.reports import drift_page

        page.write_text(drift_page(report), encoding="utf-8")
        note(f"wrote {page}")
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        from modelwarrant.cli.words import print_drift

        print_drift(report)
    if fail_on is not None and _LEVELS.index(report.level) >= _LEVELS.index(fail_on):
        raise typer.Exit(EXIT_LEVEL_REACHED)
