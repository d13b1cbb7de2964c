"""How does the gate of a cluster start and stop?

``python -m gate``: configured by the environment alone, one replica. On SIGTERM it finishes the
request it is at; whatever it leaves undone, the next start goes on with.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from gate.cluster import Cluster
from gate.clusterdesk import ClusterShelf
from gate.controller import Controller
from gate.guard import Guard, shipped_admission
from gate.pages import create_pages_app
from gate.webhook import Webhook
from modelwarrant.errors import PermanentError, RegistryError, TemporaryError, WarrantError
from modelwarrant.registry import Signer
from modelwarrant.stage.exits import exit_code
from modelwarrant.stage.frame import JsonLines
from modelwarrant.stage.settings import read_settings
from modelwarrant.stage.stores import open_told_store
from modelwarrant.storage import ObjectStore
from modelwarrant.storage.probe import probe, refuse_unfit

__all__ = ["Configuration", "main", "read_configuration"]

_RETRY_S: Final = 3.0


@dataclass(frozen=True)
class Configuration:
    """What the environment says to the gate."""

    namespace: str
    """``WARRANT_GATE``: of the promotion requests."""
    pipelines: str
    """``WARRANT_PIPELINES``: namespace of the workflows."""
    key: Path
    """``WARRANT_SIGNING_KEY``: PEM file."""
    admission: Path
    """``WARRANT_ADMISSION``: the policy this gate was shipped with."""
    installer: str | None
    """``WARRANT_INSTALLER``: who ratifies the shipped policy for every new model."""
    is_automatic: bool
    """``WARRANT_AUTOMATIC``: ``true`` lets PROMOTE promote without a person."""
    webhook: str | None
    """``WARRANT_WEBHOOK``: address that is told of events."""
    pages: str
    """``WARRANT_PAGES``: address of the pages, as people reach it."""
    port: int
    """``WARRANT_PORT``."""


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read the configuration.

    Raises:
        PermanentError: a value is none of those allowed; names the variable.
    """
    automatic = environment.get("WARRANT_AUTOMATIC") or "false"
    if automatic not in ("true", "false"):
        raise PermanentError(f"WARRANT_AUTOMATIC is {automatic!r}; it must be true or false")
    port = environment.get("WARRANT_PORT") or "8080"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise PermanentError(f"WARRANT_PORT is {port!r}; it must be a port's number")
    shipped = Path(__file__).parent.parent / "manifests" / "base" / "gate-api" / "policy.yaml"
    return Configuration(
        namespace=environment.get("WARRANT_GATE") or "modelwarrant-system",
        pipelines=environment.get("WARRANT_PIPELINES") or "kubeflow",
        key=Path(environment.get("WARRANT_SIGNING_KEY") or "/etc/modelwarrant/key/signing-key"),
        admission=Path(environment.get("WARRANT_ADMISSION") or shipped),
        installer=environment.get("WARRANT_INSTALLER") or None,
        is_automatic=automatic == "true",
        webhook=environment.get("WARRANT_WEBHOOK") or None,
        pages=environment.get("WARRANT_PAGES") or "",
        port=int(port),
    )


def main() -> int:
    """Run the gate until a signal; return the exit code."""
    log = _log()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        configuration = read_configuration(os.environ)
        store = open_told_store(read_settings().store)
        key = _key(configuration.key)
        cluster = Cluster.connect(configuration.namespace, pipelines=configuration.pipelines)
        guard = Guard(cluster, *shipped_admission(configuration.admission))
        if not _probed(store, stop, log):
            return 0
    except WarrantError as error:
        log.error("cannot_start", extra={"fields": {"error": str(error)}})
        return exit_code(error)
    controller = Controller(
        cluster,
        store,
        key,
        guard,
        Webhook(configuration.webhook, configuration.pages),
        log,
        is_automatic=configuration.is_automatic,
        installer=configuration.installer,
    )
    app = create_pages_app(ClusterShelf(cluster, lambda: store), controller.health)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="0.0.0.0",  # noqa: S104 - a pod, guarded by a NetworkPolicy
            port=configuration.port,
            log_config=None,
            access_log=False,
        )
    )
    threading.Thread(target=server.run, name="pages", daemon=True).start()
    log.info(
        "started", extra={"fields": {"namespace": configuration.namespace, "key": key.public.id}}
    )
    controller.run(stop)
    server.should_exit = True
    log.info("stopped")
    return 0


def _probed(store: ObjectStore, stop: threading.Event, log: logging.Logger) -> bool:
    """Demand of the store what the ledger needs; False where a signal came first.

    Raises:
        StoreError: it breaks a promise; the message says which.
    """
    while not stop.is_set():
        try:
            store.get("probe/first")  # unreachable is told from unfit
            refuse_unfit(store, probe(store))
        except TemporaryError as error:
            log.warning("store_unavailable", extra={"fields": {"error": str(error)}})
            stop.wait(_RETRY_S)
        else:
            return True
    return False


def _key(path: Path) -> Signer:
    try:
        return Signer.from_pem(path.read_bytes(), name=str(path))
    except OSError as error:
        raise RegistryError(
            f"the gate's signing key {path} cannot be read: {error.strerror}; "
            "`make deploy` makes the Secret gate-key"
        ) from error


def _log() -> logging.Logger:
    log = logging.getLogger("modelwarrant.gate")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.handlers = [handler]
    return log


if __name__ == "__main__":
    sys.exit(main())
