"""How does ``warrant submit`` bring a project to Kubeflow Pipelines, and follow it to its verdict?

The same compiled pipeline as on a laptop. A request in the person's own name comes first: it says
who asked, and the gate's answer to it proves that a gate is there, before any stage is started.
"""

import contextlib
import io
import re
import secrets
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import urllib3
import yaml

from modelwarrant.cli.desks import cluster_desk
from modelwarrant.cli.knowledge import open_place
from modelwarrant.cli.running import (
    Ending,
    compiled_lifecycle,
    ending_of,
    lifecycle_parameters,
    schema_of,
    sound_policy,
    with_windows,
)
from modelwarrant.errors import (
    MissingExtraError,
    ProjectError,
    RequestError,
    StoreError,
    StoreUnavailableError,
)
from modelwarrant.project import Project, load
from modelwarrant.sources.location import scheme_of
from modelwarrant.windows import FeatureSchema

__all__ = [
    "Submission",
    "Target",
    "connect",
    "contract_of",
    "demand_reachable",
    "first_line",
    "named_package",
    "quiet",
    "submit_lifecycle",
]

_POLL_S: Final = 2.0
_GATE_PATIENCE: Final = timedelta(seconds=30)
_TIMEOUT: Final = urllib3.Timeout(connect=3, read=10)
_IS_INNER: Final = re.compile(r"root|executor(\(\d+\))?")
"""Tasks that KFP makes of its own, and the tries of a stage that may be tried again."""
_FAILED: Final = ("FAILED", "CANCELED", "CANCELING", "SKIPPED")


@dataclass(frozen=True)
class Target:
    """Where a run goes."""

    host: str
    """Address of the Pipelines API."""
    namespace: str
    """Of the runs."""
    experiment: str
    images: str
    """Name of a stage's image, ``{stage}`` in the place of the stage."""
    store: str
    """As the stages reach it."""


@dataclass(frozen=True)
class Submission:
    """A run on Kubeflow Pipelines, as far as it was followed."""

    run: str
    pipeline_run: str
    model: str
    request: str
    url: str
    resource: Mapping[str, Any]
    """The promotion request as it was last seen."""
    state: str
    """Of the run, in KFP's words."""

    @property
    def ending(self) -> Ending:
        """How it stands; names the exit code."""
        status = self.resource.get("status", {})
        return ending_of(status.get("outcome"), status.get("verdict"))

    def document(self) -> dict[str, Any]:
        """Return the submission as JSON."""
        status = self.resource.get("status", {})
        return {
            "run": self.run,
            "pipeline_run": self.pipeline_run,
            "state": self.state,
            "model": self.model,
            "request": self.request,
            "url": self.url,
            "requester": self.resource["spec"]["requester"],
            "verdict": status.get("verdict"),
            "rule": status.get("rule"),
            "outcome": status.get("outcome"),
            "outcome_reason": status.get("reason"),
            "drift": status.get("drift"),
            "delta": status.get("delta"),
            "version": status.get("version"),
            "waiting_for": status.get("waiting_for"),
            "candidate_digest": self.resource["spec"].get("candidate", {}).get("digest"),
        }


def submit_lifecycle(
    path: Path,
    target: Target,
    *,
    current: str | None,
    reference: str | None,
    source: str | None,
    follow: Literal["no", "decision", "outcome"],
    timeout: timedelta,
    show: Callable[[str], None],
) -> Submission:
    """Announce a run, start it, and follow it as far as asked.

    Args:
        path: the project file.
        target: where it goes.
        current: another current window than the project's.
        reference: another first reference window than the project's.
        source: another source than the project's.
        follow: until the gate has recorded its verdict, until the request has an outcome, or not.
        timeout: of following.
        show: told a line of progress.

    Raises:
        RequestError: no cluster, no gate, no right to ask, or the pipelines' API refuses the run.
        ProjectError: the project cannot run there.
        StoreUnavailableError: the API does not answer, or following took too long.
    """
    project = with_windows(load(path), current=current, reference=reference)
    if source is not None:
        project = replace(project, source=source)
    demand_reachable(project)
    rules = sound_policy(project)
    contract = contract_of(project)
    desk = cluster_desk(target.store)
    if desk is None:
        raise RequestError("WARRANT_GATE is not set: it names the namespace of the cluster's gate")
    _demand_right(desk.cluster, desk.person)
    client = connect(target)
    run = f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"
    request = desk.announce(run, project.model, patience=_GATE_PATIENCE)
    arguments = lifecycle_parameters(
        project, rules, contract=contract, store=target.store, run=run, requester=desk.person
    )
    arguments["gate"] = desk.cluster.namespace
    try:
        with named_package(compiled_lifecycle(), target.images) as package, quiet():
            started = client.create_run_from_pipeline_package(
                str(package),
                arguments=arguments,
                run_name=f"{project.model} {run}",
                experiment_name=target.experiment,
                namespace=target.namespace,
            )
    except Exception as error:
        desk.answer(
            request,
            "withdraw",
            reason="the run could not be started",
            candidate_digest=None,
            evidence_digest=None,
            self_approve=False,
        )
        raise RequestError(
            f"{target.host} did not take the run, and request {request} is withdrawn: "
            f"{first_line(error)}"
        ) from error
    submission = Submission(
        run=run,
        pipeline_run=started.run_id,
        model=project.model,
        request=request,
        url=f"{target.host.rstrip('/')}/#/runs/details/{started.run_id}",
        resource=desk.cluster.request(request),
        state="PENDING",
    )
    show(f"{project.model}: run {run}, request {request}")
    show(f"  {submission.url}")
    if follow == "no":
        return submission
    return _follow(submission, client, desk.cluster, follow, timeout, show)


def _follow(
    submission: Submission,
    client: Any,
    cluster: Any,
    follow: Literal["no", "decision", "outcome"],
    timeout: timedelta,
    show: Callable[[str], None],
) -> Submission:
    """Print what ends, until the verdict or the outcome is known."""
    ends, told = time.monotonic() + timeout.total_seconds(), dict[str, str]()
    while True:
        found = client.get_run(submission.pipeline_run)
        resource = cluster.request(submission.request)
        submission = replace(submission, state=found.state or "PENDING", resource=resource)
        for name, state in _tasks(found):
            if told.get(name) != state and state in ("SUCCEEDED", *_FAILED):
                show(f"  {name:20} {state.lower()}")
            told[name] = state
        status = resource.get("status", {})
        is_known = "verdict" in status if follow == "decision" else "outcome" in status
        if is_known or "outcome" in status:
            return submission
        if submission.state in _FAILED:
            failed = [name for name, state in told.items() if state == "FAILED"]
            raise RequestError(
                f"run {submission.run} is {submission.state.lower()}"
                f"{' at ' + ', '.join(failed) if failed else ''}; see its log: {submission.url}"
            )
        if time.monotonic() > ends:
            raise StoreUnavailableError(
                f"run {submission.run} is {submission.state.lower()} after "
                f"{timeout.total_seconds():.0f} s; it goes on: {submission.url}"
            )
        time.sleep(_POLL_S)


def _tasks(run: Any) -> Iterator[tuple[str, str]]:
    """Yield name and state of the tasks that are stages of ours."""
    details = run.run_details
    for task in (details.task_details if details else None) or ():
        name = task.display_name or ""
        if task.state and not name.endswith("-driver") and not _IS_INNER.fullmatch(name):
            yield name, task.state


def demand_reachable(project: Project) -> None:
    """Refuse a source that the cluster's stages cannot read.

    Raises:
        ProjectError: it is a file on this machine.
    """
    scheme = scheme_of(project.source)
    if scheme in (None, "file"):
        raise ProjectError(
            f"source {project.source} is a file on this machine, and the cluster's stages cannot "
            "read it; put it into a bucket or on a server and name that with --source s3://..."
        )


def contract_of(project: Project) -> FeatureSchema:
    """Return the schema; classes that the project does not list are looked up in the store."""
    if project.task != "classification" or project.classes is not None:
        return project.schema()
    try:
        return schema_of(open_place(None), project)
    except (StoreError, StoreUnavailableError) as error:
        raise ProjectError(
            f"the project file lists no classes, and the store that knows them cannot be read "
            f"from here ({error}); add `classes: [...]`, or set WARRANT_STORE and its credentials"
        ) from error


def _demand_right(cluster: Any, person: str) -> None:
    if not cluster.may("create", "promotionrequests"):
        raise RequestError(
            f"{person} may not create promotion requests in {cluster.namespace}; an admin binds "
            "the ClusterRole promotion-requester"
        )


def connect(target: Target) -> Any:
    """Return a client of the Pipelines API that answers.

    Raises:
        MissingExtraError: kfp is not installed.
        StoreUnavailableError: nothing answers there.
        RequestError: something else does.
    """
    try:
        import kfp
    except ImportError as error:
        raise MissingExtraError(
            "submitting needs kfp: pip install 'modelwarrant[kubeflow]'"
        ) from error
    address = f"{target.host.rstrip('/')}/apis/v2beta1/healthz"
    try:
        answer = urllib3.request("GET", address, retries=False, timeout=_TIMEOUT)
    except urllib3.exceptions.HTTPError as error:
        raise StoreUnavailableError(
            f"Kubeflow Pipelines does not answer at {target.host}: {error}; "
            "`make port-forward` brings it to http://127.0.0.1:8888"
        ) from error
    if answer.status != 200:
        raise RequestError(
            f"{address} answered {answer.status}: is {target.host} the address of Kubeflow "
            "Pipelines' API?"
        )
    with quiet():
        return kfp.Client(host=target.host, namespace=target.namespace)


@contextmanager
def named_package(compiled: Path, images: str) -> Iterator[Path]:
    """Yield a compiled pipeline with the images' names that the cluster has."""
    if "{stage}" not in images:
        raise RequestError(f"--images {images!r} must hold {{stage}}, as in registry/{{stage}}:v1")
    with compiled.open("rb") as file:
        documents = list(yaml.safe_load_all(file))
    for executor in documents[0]["deploymentSpec"]["executors"].values():
        container = executor["container"]
        stage = container["image"].removeprefix("modelwarrant/").partition(":")[0]
        container["image"] = images.replace("{stage}", stage)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / compiled.name
        package.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        yield package


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the client prints and warns of its own accord from the answer."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def first_line(error: BaseException) -> str:
    """Return what the Pipelines API said, in one line."""
    body = getattr(error, "body", None) or str(error)
    return str(body).strip().splitlines()[0][:500]
