"""How is the Kubernetes API server asked?

The one module that speaks to it: custom resources of ours, Argo's workflows, and the admission
policy that guards them. Every failure becomes an error of ours that names the object and what to
do. All calls use the caller's own identity; nothing here decides anything.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

from kubernetes import config
from kubernetes.client import ApiClient, ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from modelwarrant.errors import (
    BusyError,
    IllegalOperationError,
    RequestError,
    StoreUnavailableError,
    TemporaryError,
    UnknownModelError,
)

__all__ = ["GROUP", "PLURAL", "POLICY_NAME", "REQUEST_LABEL", "SUSPENDED_AT", "Cluster"]

GROUP: Final = "modelwarrant.dev"
PLURAL: Final = "promotionrequests"
POLICY_NAME: Final = f"{PLURAL}.{GROUP}"
"""Of the admission policy and of its binding."""

SUSPENDED_AT: Final = f"{GROUP}/suspended-at"
"""Annotation of a workflow that a stage suspended: when."""
REQUEST_LABEL: Final = f"{GROUP}/request"
"""Label of a workflow that a stage suspended: the request it waits for."""

_TIMEOUT: Final = (3, 15)
"""Seconds to connect and to answer."""
_PAGE: Final = 500
_MERGE: Final = "application/merge-patch+json"
_JSON: Final = "application/json"
_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"


class Cluster:
    """The API server, as whoever runs this process.

    Args:
        api: a configured client.
        namespace: of the promotion requests.
        pipelines: namespace of the workflows.
    """

    def __init__(self, api: ApiClient, namespace: str, *, pipelines: str = "kubeflow") -> None:
        self._api = api
        self.namespace = namespace
        self.pipelines = pipelines
        self._requests = f"/apis/{GROUP}/v1/namespaces/{namespace}/{PLURAL}"
        self._workflows = f"/apis/argoproj.io/v1alpha1/namespaces/{pipelines}/workflows"

    @classmethod
    def connect(cls, namespace: str, *, pipelines: str = "kubeflow") -> Self:
        """Connect as the pod's service account, or with the person's kubeconfig.

        Raises:
            RequestError: there is no kubeconfig, or it names no cluster.
        """
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
                config.load_incluster_config()
            else:
                config.load_kube_config()
        except (ConfigException, YAMLError, TypeError, OSError) as error:
            raise RequestError(
                f"no cluster to talk to: {error}; set KUBECONFIG, or choose a context with "
                "`kubectl config use-context`"
            ) from error
        return cls(ApiClient(), namespace, pipelines=pipelines)

    @property
    def host(self) -> str:
        """The API server's address."""
        return str(self._api.configuration.host)

    def user(self) -> str:
        """Return the name that the API server knows the caller by."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        found = self._call("POST", path, review, about="who am I")
        return str(found["status"]["userInfo"]["username"])

    def may(self, verb: str, resource: str, *, name: str = "", namespace: str = "") -> bool:
        """Return whether the caller may do something to a resource of our group."""
        attributes = {
            "group": GROUP,
            "resource": resource,
            "verb": verb,
            "name": name,
            "namespace": namespace or self.namespace,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self._call("POST", path, review, about="what may I do")["status"]["allowed"])

    def requests(self) -> tuple[list[dict[str, Any]], str]:
        """Return all promotion requests, and the resource version to watch from.

        Raises:
            RequestError: the cluster does not know promotion requests.
        """
        return self._list(self._requests, about=f"promotion requests in {self.namespace}")

    def request(self, name: str) -> dict[str, Any]:
        """Return one promotion request.

        Raises:
            UnknownModelError: there is none of that name.
        """
        return self._call("GET", f"{self._requests}/{name}", about=f"request {name}")

    def create_request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a promotion request.

        Raises:
            RequestError: the API server refuses it; the message is the server's.
            IllegalOperationError: there is one of that name already.
        """
        about = f"request {body['metadata']['name']}"
        return self._call("POST", self._requests, body, about=about)

    def replace_request(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Write a changed request back; its resource version makes sure that nothing came between.

        Raises:
            RequestError: the API server refuses it; the message is the server's.
            BusyError: another change came first.
        """
        name = resource["metadata"]["name"]
        return self._call("PUT", f"{self._requests}/{name}", resource, about=f"request {name}")

    def patch_status(
        self, name: str, status: Mapping[str, Any], *, dry_run: bool = False
    ) -> dict[str, Any]:
        """Merge fields into a request's status; the gate alone may.

        Args:
            name: which request.
            status: JSON merge patch of the status.
            dry_run: let the API server check it, and change nothing.

        Raises:
            RequestError: the API server refuses it; the message is the server's.
        """
        return self._call(
            "PATCH",
            f"{self._requests}/{name}/status",
            {"status": status},
            query=[("dryRun", "All")] if dry_run else [],
            content_type=_MERGE,
            about=f"request {name}",
        )

    def wait_for_change(self, resource_version: str, *, timeout_s: int) -> None:
        """Return when any promotion request changes, or after the timeout."""
        query = [
            ("watch", "true"),
            ("resourceVersion", resource_version),
            ("timeoutSeconds", str(timeout_s)),
        ]
        with _translated(f"changes of requests in {self.namespace}", self.host):
            response = self._api.call_api(
                self._requests,
                "GET",
                query_params=query,
                header_params={"Accept": _JSON},
                auth_settings=["BearerToken"],
                response_type=None,
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(_TIMEOUT[0], timeout_s + 5),
            )
            try:
                response.read1(1)
            finally:
                response.close()
                response.release_conn()

    def workflow(self, name: str) -> dict[str, Any] | None:
        """Return a workflow, None where it is gone."""
        try:
            return self._call("GET", f"{self._workflows}/{name}", about=f"workflow {name}")
        except UnknownModelError:
            return None

    def workflows(self) -> list[dict[str, Any]]:
        """Return the workflows that wait for a request, or did."""
        query = [("labelSelector", REQUEST_LABEL)]
        return self._list(self._workflows, query=query, about="waiting workflows")[0]

    def suspend(self, workflow: str, *, request: str, since: str) -> None:
        """Let a workflow start no further pod until the gate resumes it.

        Args:
            workflow: which.
            request: that it waits for.
            since: now, RFC 3339.
        """
        marks = {"labels": {REQUEST_LABEL: request}, "annotations": {SUSPENDED_AT: since}}
        self.patch_workflow(workflow, {"metadata": marks, "spec": {"suspend": True}})

    def resume(self, workflow: str) -> None:
        """Let a suspended workflow go on."""
        marks = {"labels": {REQUEST_LABEL: None}, "annotations": {SUSPENDED_AT: None}}
        self.patch_workflow(workflow, {"metadata": marks, "spec": {"suspend": None}})

    def patch_workflow(self, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into a workflow."""
        path = f"{self._workflows}/{name}"
        self._call("PATCH", path, patch, content_type=_MERGE, about=f"workflow {name}")

    def admission_policy(self) -> dict[str, Any] | None:
        """Return the policy that guards promotion requests, None where it is gone."""
        return self._find(f"{_ADMISSION}/validatingadmissionpolicies/{POLICY_NAME}")

    def admission_binding(self) -> dict[str, Any] | None:
        """Return the binding that makes the policy effective, None where it is gone."""
        return self._find(f"{_ADMISSION}/validatingadmissionpolicybindings/{POLICY_NAME}")

    def _find(self, path: str) -> dict[str, Any] | None:
        try:
            return self._call("GET", path, about=path)
        except UnknownModelError:
            return None

    def _list(
        self, path: str, *, about: str, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[list[dict[str, Any]], str]:
        items: list[dict[str, Any]] = []
        page = [*query, ("limit", str(_PAGE))]
        while True:
            try:
                found = self._call("GET", path, query=page, about=about)
            except UnknownModelError as error:
                raise RequestError(
                    f"{about}: the cluster at {self.host} does not know this kind; is it the right "
                    "context (`kubectl config current-context`), and is modelwarrant deployed "
                    "(`make deploy`)?"
                ) from error
            items += found["items"]
            further = found["metadata"].get("continue")
            if not further:
                return items, str(found["metadata"].get("resourceVersion", ""))
            page = [*query, ("limit", str(_PAGE)), ("continue", further)]

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        about: str,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = _JSON,
    ) -> dict[str, Any]:
        with _translated(about, self.host):
            response = self._api.call_api(
                path,
                method,
                query_params=list(query),
                header_params={"Accept": _JSON, "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
                response_type=None,
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT,
            )
            answer: dict[str, Any] = json.loads(response.data)
            return answer


@contextmanager
def _translated(about: str, host: str) -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise _refusal(error, about, host) from error
    except (HTTPError, OSError, ValueError) as error:
        raise StoreUnavailableError(
            f"{about}: the API server {host} does not answer: {error}"
        ) from error


def _refusal(
    error: ApiException, about: str, host: str
) -> RequestError | UnknownModelError | IllegalOperationError | TemporaryError:
    try:
        document = json.loads(error.body)
        said, why = str(document["message"]), str(document.get("reason", ""))
    except (ValueError, KeyError, TypeError):
        said, why = str(error.reason), ""
    if error.status == 404:
        return UnknownModelError(f"{about}: {said}")
    if error.status == 409 and why == "AlreadyExists":
        return IllegalOperationError(f"{about}: {said}")
    if error.status == 409:
        return BusyError(f"{about}: changed meanwhile; try again")
    if error.status == 401:
        return RequestError(
            f"{about}: {host} does not accept your credentials; check your kubeconfig"
        )
    if error.status == 429 or error.status >= 500:
        return StoreUnavailableError(f"{about}: the API server {host} says {error.status}: {said}")
    return RequestError(f"{about}: {said}")
