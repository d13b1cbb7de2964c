"""How does the service's process start and stop?

One process and one event loop; replicas are more processes. On SIGTERM or SIGINT ``/readyz`` says
503 for the grace period; then nobody can connect any more, requests in flight are finished, the
prediction log is flushed, and the process ends with 0. A second signal ends it at once.
"""

import asyncio
import gc
import logging
import math
import re
import resource
import secrets
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from modelwarrant.errors import PermanentError
from modelwarrant.registry import Anchor, Ledger
from modelwarrant.registry.layout import log_key
from modelwarrant.stage.frame import JsonLines
from modelwarrant.storage import ObjectStore
from serving.app import create_app
from serving.ending import Ending
from serving.follower import Follower
from serving.front import Front
from serving.mirror import mirror_of
from serving.payload import Recorder
from serving.settings import Settings
from serving.shadow import Shadow
from serving.shadow_log import ShadowLog
from serving.slices import Slices
from serving.trial import Trial
from serving.wire import connection_of

__all__ = ["make_follower", "make_recorder", "serve"]

_FOLLOWER_STOP_S = 2.0
"""Longest wait for a look at the ledger under way; it holds nothing that must be finished."""

_UVICORN_LOG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {name: {"level": "CRITICAL"} for name in ("uvicorn", "uvicorn.error")},
}
"""Nothing: faults are logged by the application, with the request they belong to."""

_LAST_REQUESTS_S = 0.5
"""Time for requests already sent on open connections, once nobody new can connect."""

_BACKLOG = 2048
"""Connections that may wait to be accepted; the kernel's own limit may be lower."""

_FILES = 200
"""Files that the process has open beside its connections."""

_SWITCH_S = 0.0005
"""Longest time that a Python thread computes while the event loop waits for its turn; the
interpreter's own 5 ms would be seen in p99."""


def serve(
    store: ObjectStore,
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    genesis: str | None = None,
    anchor: Anchor | None = None,
    cache: Path | None = None,
    log: logging.Logger | None = None,
    announce: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a model until a signal ends the process; call it on the main thread.

    Args:
        store: where the ledger lies; only the prediction log is written to it.
        settings: names the model, and the limits.
        host: address to listen on.
        port: 0 takes a free one.
        genesis: digest of the ledger's first entry that is trusted; None trusts the first one seen.
        anchor: an entry that the ledger must hold; None knows of none.
        cache: folder on the local disk that keeps the last verified version; None keeps none.
        log: default JSON lines on stderr.
        announce: called with the address, such as ``http://127.0.0.1:8080``, once it is taken.

    Raises:
        PermanentError: the address cannot be used.
    """
    log = log or _json_log()
    listener = _listen(host, port)
    _allow_files(settings.max_connections + _FILES)
    sys.setswitchinterval(_SWITCH_S)
    trial = Trial()
    trial.prepare()
    shadow = make_shadow(store, log=log) if settings.shadow else None
    follower = make_follower(
        store,
        settings.model,
        genesis=genesis,
        anchor=anchor,
        cache=cache,
        trial=trial,
        shadow=shadow,
        watch=timedelta(seconds=settings.watch_s),
        log=log,
    )
    recorder = make_recorder(store, settings, log=log) if settings.log_payload else None
    ending = Ending()
    follower.start(poll_s=settings.poll_s)
    app = create_app(follower, settings, recorder=recorder, shadow=shadow, ending=ending, log=log)
    slices = None if recorder is None else recorder.slices
    server = _Server(app, settings, ending, slices)
    for part in (recorder, shadow):
        if part is not None:
            part.start()
    gc.collect()
    gc.freeze()  # what is there now stays: it need not be looked through again
    announce(f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}")
    try:
        server.run(sockets=[listener])
    finally:
        follower.stop(timeout_s=_FOLLOWER_STOP_S)
        trial.close()
        if shadow is not None:
            shadow.stop(timeout_s=_FOLLOWER_STOP_S)
        if recorder is not None:
            recorder.slices.detach()
            recorder.close(timeout_s=settings.shutdown_timeout_s)
            log.info("stopped", extra={"fields": vars(recorder.counts())})


def make_follower(
    store: ObjectStore,
    model: str,
    *,
    genesis: str | None,
    anchor: Anchor | None = None,
    cache: Path | None,
    trial: Trial | None,
    shadow: Shadow | None = None,
    watch: timedelta = timedelta(hours=1),
    log: logging.Logger,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Follower:
    """Return a follower of the model's ledger that was not started yet; see ``serve``."""
    return Follower(
        store,
        model,
        open_ledger=lambda place: Ledger(place, model, pinned_genesis=genesis),
        mirror=None if cache is None else mirror_of(store, model, cache),
        anchor=anchor,
        trial=trial,
        shadow=shadow,
        watch=watch,
        now=now,
        log=log,
    )


def make_recorder(store: ObjectStore, settings: Settings, *, log: logging.Logger) -> Recorder:
    """Return a recorder, not started yet, whose file names no other process uses."""
    return Recorder(
        store,
        model=settings.model,
        prefix=_process_name(),
        beside=log_key(settings.model, 1),
        private=settings.private_columns,
        flush_s=settings.log_flush_s,
        flush_rows=settings.log_flush_rows,
        buffer_rows=settings.log_buffer_rows,
        log=log,
    )


def make_shadow(store: ObjectStore, *, log: logging.Logger) -> Shadow:
    """Return a shadow, not started yet, that keeps what it compared in the store."""
    return Shadow(ShadowLog(store, prefix=_process_name(), log=log))


def _process_name() -> str:
    """Return a name that no other process has: the pod's, and a boot id."""
    pod = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:100] or "host"
    return f"{pod}-{secrets.token_hex(4)}"


def _json_log() -> logging.Logger:
    log = logging.getLogger("modelwarrant.serving")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    log.handlers = [handler]
    return log


def _allow_files(count: int) -> None:
    """Let the process open so many files at least, where the machine allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise PermanentError(
            f"port {port} of {host} cannot be used: {error.strerror}; choose another one"
        ) from error


class _Server(uvicorn.Server):
    """uvicorn, with a grace period between the signal and the end."""

    def __init__(
        self, app: Front, settings: Settings, ending: Ending, slices: Slices | None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=connection_of(
                    max_connections=settings.max_connections,
                    rest_s=settings.body_timeout_s,
                    unread_s=settings.answer_timeout_s,
                    prompt=app,
                ),
                ws="none",
                lifespan="off",
                log_config=_UVICORN_LOG,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout_s)),
            )
        )
        self._ending = ending
        self._slices = slices
        self._grace_s = settings.grace_s
        self._ends_at = math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; the signal is not raised again afterwards, as uvicorn would."""
        if self._ending.is_draining:
            self.force_exit = self.should_exit = True
        self._ending.is_draining = True
        self._ends_at = min(self._ends_at, time.monotonic() + self._grace_s)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Lend the event loop to what works in the background."""
        await super().startup(sockets)
        if self._slices is not None:
            self._slices.attach(asyncio.get_running_loop())

    async def on_tick(self, counter: int) -> bool:
        """Stop once the grace period is over; uvicorn asks ten times a second."""
        if time.monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, answer what was sent on open ones, then stop."""
        self._ending.is_closing = True
        for server in self.servers:
            server.close()
        ends_at = time.monotonic() + _LAST_REQUESTS_S
        while self.server_state.connections and time.monotonic() < ends_at and not self.force_exit:
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)
        if self._slices is not None:
            self._slices.detach()
