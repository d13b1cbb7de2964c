"""Which models are there, whose are they, and what is overdue?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from modelwarrant.cli.knowledge import Place, models
from modelwarrant.errors import ProjectError
from modelwarrant.project import Project, load
from modelwarrant.project.project import DEFAULT_FILE
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.overdue import duties_of, unwatched

__all__ = ["Row", "inventory", "prometheus_text"]


@dataclass(frozen=True)
class Row:
    """One model."""

    model: str
    owner: str | None
    purpose: str | None
    production: int | None
    last_decision: str | None
    monitoring_last: str | None
    """Time of the monitor's newest entry."""
    monitoring_due: str | None
    review_due: str | None
    overdue: tuple[str, ...]
    unwatched: tuple[str, ...]
    """Stretches without the monitor that were longer than ``monitor_every``, the last one perhaps
    until now."""

    def document(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return asdict(self)


def inventory(place: Place, files: Sequence[Path]) -> tuple[Row, ...]:
    """Return a row for each model of the store, and for each project that has none yet.

    Args:
        place: the store.
        files: project files, which alone know owner, purpose and what is due when.

    Raises:
        ProjectError: two files are of one model, or one cannot be read.
    """
    projects = _projects(files)
    names = sorted({*models(place), *projects})
    return tuple(_row(place, name, projects.get(name)) for name in names)


def prometheus_text(rows: Sequence[Row]) -> str:
    """Return the rows in Prometheus' text format, for node_exporter's textfile collector.

    >>> row = Row("m", *(None,) * 7, overdue=("the review was due by 2026-01-31",), unwatched=())
    >>> print(prometheus_text([row]).splitlines()[-1])
    modelwarrant_overdue{model="m"} 1.0
    """
    found: Mapping[str, tuple[str, Callable[[Row], float | None]]] = {
        "production_version": ("Version in production", lambda row: row.production),
        "monitored_timestamp_seconds": (
            "When the monitor recorded something last",
            lambda row: _seconds(row.monitoring_last),
        ),
        "monitoring_due_timestamp_seconds": (
            "When the monitor must have looked again",
            lambda row: _seconds(row.monitoring_due),
        ),
        "overdue": ("Duties that are overdue", lambda row: len(row.overdue)),
    }
    lines = []
    for name, (text, value_of) in found.items():
        lines += [f"# HELP modelwarrant_{name} {text}.", f"# TYPE modelwarrant_{name} gauge"]
        values = [(row.model, value_of(row)) for row in rows]
        lines += [
            f'modelwarrant_{name}{{model="{model}"}} {float(value)}'
            for model, value in values
            if value is not None
        ]
    return "\n".join(lines) + "\n"


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def _projects(files: Sequence[Path]) -> Mapping[str, Project]:
    if not files and Path(DEFAULT_FILE).exists():
        files = [Path(DEFAULT_FILE)]
    found: dict[str, Project] = {}
    for path in files:
        project = load(path)
        if project.model in found:
            raise ProjectError(f"{path} and {found[project.model].path} are both {project.model}")
        found[project.model] = project
    return found


def _row(place: Place, model: str, project: Project | None) -> Row:
    ledger, now = place.ledger(model), place.now
    entries = ledger.entries()
    state = ledger.state()
    every = None if project is None else project.monitor_every
    review = None if project is None else project.review_by
    duties = duties_of(place.store, state, review_by=review, monitor_every=every, now=now)
    gaps = () if every is None else unwatched(entries, monitor_every=every, now=now)
    decided = list(state.decisions.values())[-1] if state.decisions else None
    due = duties.monitoring_due
    return Row(
        model=model,
        owner=None if project is None else project.owner,
        purpose=None if project is None else project.purpose,
        production=state.production,
        last_decision=None if decided is None else f"{decided.verdict} {decided.time[:10]}",
        monitoring_last=None if duties.monitored is None else utc_text(duties.monitored),
        monitoring_due=None if due is None else due.isoformat(timespec="minutes"),
        review_due=None if review is None else review.isoformat(),
        overdue=duties.overdue,
        unwatched=tuple(f"{utc_text(since)}..{utc_text(until)}" for since, until in gaps),
    )
