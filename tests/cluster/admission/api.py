"""What does the API server answer, and which layer of it said no?

A thin client of the real API server. It acts as anybody by impersonation, which the server treats
as the real caller in admission and RBAC alike, and keeps the whole answer, message included.
"""

import json
import os
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile
from typing import Any

import httpx
import pytest
from kubernetes import client, config

__all__ = ["Answer", "Api", "Caller", "eventually"]

CRD, POLICY, RBAC, ALLOWED = "CRD", "policy", "RBAC", "allowed"

Json = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who calls: a user name and its groups; a service account's groups come with its name."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One answer of the API server."""

    code: int
    body: Json

    @property
    def message(self) -> str:
        """What it says about a refusal."""
        return str(self.body.get("message", ""))

    @property
    def layer(self) -> str:
        """Which layer refused, read from the message, or ``allowed``."""
        if self.code < 300:
            return ALLOWED
        if "ValidatingAdmissionPolicy 'promotionrequests." in self.message:
            return POLICY
        if self.code == 403 and " cannot " in self.message:
            return RBAC
        if self.code == 422 and " is invalid: " in self.message:
            return CRD
        return f"{self.code} {self.message}"

    def demand(self) -> Json:
        """Return the object; a refusal fails the test with what the server said."""
        assert self.code < 300, f"{self.code}: {self.message}"
        return self.body


@dataclass(frozen=True)
class Api:
    """The API server that KUBECONFIG names, as its administrator."""

    http: httpx.Client = field(repr=False)

    @classmethod
    def connect(cls) -> "Api":
        """Connect, or fail the test loudly: these tests are about a real cluster."""
        try:
            config.load_kube_config(os.environ.get("KUBECONFIG"))
            found = client.Configuration.get_default_copy()
            context = ssl.create_default_context(cafile=found.ssl_ca_cert)
            headers = dict(client.ApiClient(found).default_headers)
            if found.cert_file:
                context.load_cert_chain(found.cert_file, found.key_file)
            if found.api_key:
                headers["Authorization"] = found.get_api_key_with_prefix("authorization")
            http = httpx.Client(base_url=found.host, verify=context, headers=headers, timeout=30)
            http.get("/readyz").raise_for_status()
        except (config.ConfigException, httpx.HTTPError, OSError) as error:
            pytest.fail(
                f"these tests need a cluster and its admin's KUBECONFIG (testbed up): {error}"
            )
        return cls(http)

    def as_person(self, certificate: bytes) -> "Api":
        """Return the same server as seen by who holds this certificate and key, in PEM."""
        config.load_kube_config(os.environ.get("KUBECONFIG"))
        found = client.Configuration.get_default_copy()
        context = ssl.create_default_context(cafile=found.ssl_ca_cert)
        with NamedTemporaryFile() as file:
            file.write(certificate)
            file.flush()
            context.load_cert_chain(file.name)
        return Api(httpx.Client(base_url=found.host, verify=context, timeout=30))

    def call(
        self,
        method: str,
        path: str,
        body: Json | list[Json] | None = None,
        *,
        by: Caller | None = None,
        kind: str = "",
        **query: str,
    ) -> Answer:
        """Send one request.

        Args:
            method: of HTTP.
            path: of the resource.
            body: an object, or a merge patch where the method is PATCH.
            by: who calls; the administrator where none is named.
            kind: of the body, where it is no JSON and no merge patch.
            query: for example ``dryRun="All"``.
        """
        headers = [("Impersonate-User", by.name)] if by else []
        headers += [("Impersonate-Group", group) for group in by.groups] if by else []
        kind = kind or ("merge-patch+json" if method == "PATCH" else "json")
        headers.append(("Content-Type", f"application/{kind}"))
        content = None if body is None else json.dumps(body)
        answer = self.http.request(method, path, content=content, headers=headers, params=query)
        lines = answer.text.splitlines() or ["{}"]
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        is_stream = query.get("watch") == "1" and answer.is_success
        text = lines[0] if is_stream else answer.text
        return Answer(answer.status_code, json.loads(text) if is_json else {"message": text})

    def create(self, path: str, objects: Iterable[Json]) -> None:
        """Create objects as the administrator."""
        for item in objects:
            self.call("POST", path, item).demand()


def eventually(is_so: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    """Wait until the API server has noticed what was just written."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"after {seconds} s: {what}"
        time.sleep(0.1)
