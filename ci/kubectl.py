"""How do the programs in ci/ talk to a cluster?

Through the user's own kubectl and kubeconfig: what a person may do is what these programs may do.
What goes in is JSON on standard input, so that no secret stands in a process list.
"""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from modelwarrant.errors import PermanentError, TemporaryError

__all__ = ["Kubectl", "label_of"]

_START_LIMIT_S = 20.0
"""Longest wait for a port-forward to listen."""

_UNREACHABLE = (
    "connection refused",
    "was refused",
    "no such host",
    "i/o timeout",
    "no route to host",
    "context deadline",
    "unable to connect to the server",
)


def label_of(kind: str, namespace: str, name: str) -> str:
    """Return how messages name an object: ``Secret kubeflow/warrant-store``."""
    return f"{kind} {namespace}/{name}"


@dataclass(frozen=True)
class Kubectl:
    """A kubectl on one context; None takes the current one."""

    context: str | None = None
    program: str = "kubectl"
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    """None inherits this process's."""

    def run(self, *arguments: str, stdin: str | None = None, timeout_s: float = 300.0) -> str:
        """Run kubectl and return what it printed.

        Raises:
            PermanentError: kubectl is missing, or it refused; the message is kubectl's own.
            TemporaryError: the API server does not answer.
        """
        if shutil.which(self.program) is None:
            raise PermanentError(
                f"{self.program} is not installed or not on the PATH; "
                "https://kubernetes.io/docs/tasks/tools says how to get it"
            )
        try:
            done = subprocess.run(
                self._command(arguments),
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout_s,
                env=self.environment,
            )
        except subprocess.TimeoutExpired as error:
            raise TemporaryError(
                f"kubectl {arguments[0]} did not end within {timeout_s:g} s"
            ) from error
        if done.returncode:
            raise self._failure(arguments, done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Return an object, None where there is none."""
        place = ("-n", namespace) if namespace else ()
        text = self.run("get", kind, name, *place, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text.strip() else None

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Create one object; one that is there already is an error."""
        self.run("create", "-f", "-", stdin=json.dumps(manifest))

    def apply(self, manifests: str, *options: str) -> str:
        """Apply YAML documents server-side, as the owner of the fields they name."""
        return self.run(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=modelwarrant",
            *options,
            "-f",
            "-",
            stdin=manifests,
        )

    @contextmanager
    def forward(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """Yield a port of 127.0.0.1 that leads to a Service's or a pod's port, for the block.

        Raises:
            TemporaryError: nothing stands behind the target yet.
        """
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            local = int(probe.getsockname()[1])
        process = subprocess.Popen(
            self._command(("port-forward", "-n", namespace, target, f"{local}:{port}")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        lines = process.stdout
        assert lines is not None  # noqa: S101 - PIPE was asked for
        timer = threading.Timer(_START_LIMIT_S, process.kill)
        timer.start()
        try:
            said = ""
            for line in lines:
                said += line
                if line.startswith("Forwarding from"):
                    break
            else:
                raise TemporaryError(
                    f"{namespace}/{target} cannot be reached: {said.strip() or 'no answer'}; "
                    f"look at: kubectl -n {namespace} get pods"
                )
            timer.cancel()
            # Nobody reads its further lines, and a full pipe would stop it.
            threading.Thread(target=lines.read, daemon=True).start()
            yield local
        finally:
            timer.cancel()
            process.terminate()
            process.wait()

    def _command(self, arguments: Sequence[str]) -> list[str]:
        context = ["--context", self.context] if self.context else []
        return [self.program, *context, *arguments]

    def _failure(self, arguments: Sequence[str], said: str) -> PermanentError | TemporaryError:
        where = f" (context {self.context})" if self.context else ""
        what = f"kubectl {arguments[0]}{where}: {said[:2000]}"
        if any(mark in said.lower() for mark in _UNREACHABLE):
            return TemporaryError(
                f"{what}\nthe cluster does not answer: is it up, and is this the right context "
                "(kubectl config current-context)?"
            )
        if "forbidden" in said.lower():
            return PermanentError(f"{what}\nask an admin of the cluster for this right")
        return PermanentError(what)
