"""How does the monitor come to run on a cluster, hour after hour?

As a recurring run of Kubeflow Pipelines: no scheduler of our own. A model has one; scheduling again
replaces it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from modelwarrant.cli.monitoring import compiled_monitor
from modelwarrant.cli.submitting import (
    Target,
    connect,
    contract_of,
    demand_reachable,
    first_line,
    named_package,
    quiet,
)
from modelwarrant.errors import RequestError
from modelwarrant.project import load
from modelwarrant.stage.settings import read_settings

__all__ = ["Schedule", "schedule_monitor"]

_SHORTEST: Final = timedelta(minutes=5)
"""A pass on KFP takes two pods a stage; a shorter period would pile them up."""


@dataclass(frozen=True)
class Schedule:
    """A recurring run of the monitor."""

    model: str
    id: str
    name: str
    every_s: int
    replaced: tuple[str, ...]
    """Ids of those that were there before."""
    url: str

    def document(self) -> dict[str, Any]:
        """Return the schedule as JSON."""
        return {**vars(self), "replaced": list(self.replaced)}


def schedule_monitor(
    path: Path,
    target: Target,
    *,
    every: timedelta,
    source: str | None,
    show: Callable[[str], None],
) -> Schedule:
    """Let the monitor of a project's model run so often.

    Args:
        path: the project file.
        target: where it runs.
        every: between the beginnings of two passes.
        source: another source than the project's, for the reference of a first model.
        show: told a line of progress.

    Raises:
        RequestError: no gate is named, the period is too short, or the API refuses it.
        ProjectError: the project cannot run there.
        StoreUnavailableError: the API does not answer.
    """
    project = load(path)
    gate = read_settings().gate
    if gate is None:
        raise RequestError("WARRANT_GATE is not set: it names the namespace of the cluster's gate")
    if every < _SHORTEST:
        raise RequestError(f"a pass every {every} is too often for a cluster; at most every 5m")
    if source is None:
        demand_reachable(project)
    arguments = {
        "model": project.model,
        "source": source or project.source,
        "base": str(project.base.resolve()),
        "store": target.store,
        "reference": str(project.windows.reference),
        "final": project.windows.final,
        "contract": contract_of(project).model_dump(mode="json"),
        "metric": project.metric,
        "thresholds": {},
        "gate": gate,
    }
    client = connect(target)
    name = f"monitor {project.model}"
    seconds = int(every.total_seconds())
    try:
        with named_package(compiled_monitor(), target.images) as package, quiet():
            experiment = client.create_experiment(target.experiment, namespace=target.namespace)
            before = _named(client, name, experiment.experiment_id)
            made = client.create_recurring_run(
                experiment_id=experiment.experiment_id,
                job_name=name,
                interval_second=seconds,
                max_concurrency=1,
                no_catchup=True,
                params=arguments,
                pipeline_package_path=str(package),
            )
            for earlier in before:
                client.delete_recurring_run(earlier)
    except Exception as error:
        raise RequestError(
            f"{target.host} did not take the schedule: {first_line(error)}"
        ) from error
    url = f"{target.host.rstrip('/')}/#/recurringrun/details/{made.recurring_run_id}"
    show(f"{project.model}: monitored every {seconds} s")
    show(f"  {url}")
    return Schedule(project.model, made.recurring_run_id, name, seconds, tuple(before), url)


def _named(client: Any, name: str, experiment: str) -> list[str]:
    """Return the ids of the recurring runs of this name."""
    found: list[str] = []
    token = ""
    while True:
        page = client.list_recurring_runs(page_token=token, page_size=100, experiment_id=experiment)
        runs = page.recurring_runs or ()
        found += [run.recurring_run_id for run in runs if run.display_name == name]
        token = page.next_page_token or ""
        if not token:
            return found
