"""What does ``warrant init`` look at, and what does it write?"""

import os
from pathlib import Path, PurePosixPath
from typing import Any

from modelwarrant.project import initial_project_text, load, model_name, write_project
from modelwarrant.sources import infer, read_table

__all__ = ["initialise"]


def initialise(
    source: str,
    *,
    target: str,
    time: str | None,
    model: str | None,
    project: Path,
    force: bool,
) -> tuple[str, dict[str, Any]]:
    """Guess a first project file, write it, and read it again.

    Args:
        source: as typed, relative to where the command runs.
        target: the column to predict.
        time: the column to cut windows along; None guesses.
        model: the model's name; None makes one from the source's.
        project: the file to write.
        force: overwrite a project file that is there.

    Returns:
        The file's text, and what was inferred.

    Raises:
        ProjectError: a project file is there already.
        DataError: the source cannot be read, or nothing can be predicted.
    """
    inferred = infer(read_table(source, base=Path.cwd()), target=target, time=time)
    text = initial_project_text(
        inferred, source=_from(project, source), model=model or model_name(source)
    )
    write_project(project, text, force=force)
    made = load(project)
    return text, {
        "project": str(project),
        "model": made.model,
        "task": made.task,
        "target": made.target,
        "time": made.time,
        "rows": inferred.rows,
        "features": list(made.schema().names),
        "left_out": {each.name: each.reason for each in inferred.left_out},
        "reference": str(made.windows.reference),
        "current": str(made.windows.current),
    }


def _from(project: Path, source: str) -> str:
    """Return the source as seen from the project file's folder."""
    if "://" in source or PurePosixPath(source).is_absolute():
        return source
    return os.path.relpath(source, project.parent)
