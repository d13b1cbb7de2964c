"""How are weeks of requests answered in a moment, by the service's own code?

The real reader, model, follower and recorder of ``serving``, without sockets and with a clock that
is told: so the log of predictions is what a server would have written in those weeks.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from prometheus_client import CollectorRegistry

from modelwarrant.stage.stores import open_told_store
from serving.main import make_follower, make_recorder
from serving.metrics import Metrics
from serving.service import PredictionService
from serving.settings import Settings

__all__ = ["Batch", "answer_batches"]


@dataclass(frozen=True)
class Batch:
    """One request of several rows."""

    request_id: str
    at: datetime
    rows: Sequence[dict[str, Any]]


def answer_batches(told: Connection, store: str, model: str, genesis: str) -> None:
    """Answer lists of batches until the other end is closed; each list is logged before its reply.

    Args:
        told: receives a list of ``Batch`` and sends the version that answered.
        store: of ledger and log.
        model: to serve.
        genesis: digest of the ledger's first entry.
    """
    now = [datetime(1970, 1, 1, tzinfo=UTC)]
    place, settings, log = open_told_store(store), Settings(model=model), logging.getLogger("demo")
    follower = make_follower(
        place, model, genesis=genesis, cache=None, trial=None, log=log, now=lambda: now[0]
    )
    recorder = make_recorder(place, settings, log=log)
    metrics = Metrics(CollectorRegistry(), follower=follower, recorder=recorder, shadow=None)
    service = PredictionService(
        follower,
        settings,
        metrics=metrics,
        recorder=recorder,
        shadow=None,
        now_ns=lambda: int(now[0].timestamp()) * 10**9,
    )
    while True:
        try:
            batches: Sequence[Batch] = told.recv()
        except EOFError:
            return
        now[0] = batches[0].at
        follower.look()
        for batch in batches:
            now[0] = batch.at
            body = json.dumps({"rows": list(batch.rows)}).encode()
            service.finish(service.read_fields(body, batch.request_id))
        recorder.flush()
        told.send(service.served().version)
