"""What does the service count, for Prometheus?

Requests are counted as they end; the rest is read from follower and recorder when Prometheus asks.
Every metric lives in the registry that is passed in. Finding a metric by its labels costs more than
counting, so each is found once.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.follower import Follower
from serving.payload import Recorder
from serving.served import Served
from serving.shadow import Comparison, Role, Shadow

__all__ = ["Metrics"]

_SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Bucket bounds: one row takes about 0.1 ms, 10,000 rows about 1 s."""


class Metrics:
    """The service's counters."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        follower: Follower,
        recorder: Recorder | None,
        shadow: Shadow | None,
    ) -> None:
        self.registry = registry
        self._requests = Counter(
            "warrant_requests", "Requests ended", ("path", "status"), registry=registry
        )
        self._seconds = Histogram(
            "warrant_request_seconds",
            "Time from a request's head to the end of its answer",
            ("path",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._rows = Counter(
            "warrant_rows", "Rows answered", ("model", "version"), registry=registry
        )
        ProcessCollector(registry=registry)
        registry.register(_State(follower, recorder, shadow))
        self._bound_requests: dict[tuple[str, int], Counter] = {}
        self._bound_seconds: dict[str, Histogram] = {}
        self._bound_rows: tuple[Served | None, Counter | None] = (None, None)

    def request_ended(self, path: str, status: int, *, seconds: float) -> None:
        """Count one request; the path must come from a fixed set."""
        counter = self._bound_requests.get((path, status))
        if counter is None:
            counter = self._bound_requests[path, status] = self._requests.labels(path, str(status))
            self._bound_seconds[path] = self._seconds.labels(path)
        counter.inc()
        self._bound_seconds[path].observe(seconds)

    def rows_answered(self, served: Served, rows: int) -> None:
        """Count rows that got an answer."""
        of, counter = self._bound_rows
        if counter is None or of is not served:
            counter = self._rows.labels(served.model, str(served.version))
            self._bound_rows = (served, counter)
        counter.inc(rows)


class _State(Collector):
    """What follower and recorder say at the time of asking."""

    def __init__(
        self, follower: Follower, recorder: Recorder | None, shadow: Shadow | None
    ) -> None:
        self._follower = follower
        self._recorder = recorder
        self._shadow = shadow

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._model()
        if self._recorder is not None:
            counts = self._recorder.counts()
            yield CounterMetricFamily(
                "warrant_payload_rows_written",
                "Rows written to the prediction log",
                value=counts.written,
            )
            yield CounterMetricFamily(
                "warrant_payload_rows_dropped", "Rows that were not logged", value=counts.dropped
            )
            yield GaugeMetricFamily(
                "warrant_payload_rows_waiting", "Rows that wait to be logged", value=counts.waiting
            )
        beside = None if self._shadow is None else self._shadow.state
        if beside is not None:
            yield from _shadow(*beside)

    def _model(self) -> Iterator[Metric]:
        status = self._follower.status()
        served = self._follower.served
        info = GaugeMetricFamily(
            "warrant_model_info",
            "The version that is served, and the decision behind it",
            labels=("model", "version", "model_digest", "decision_id"),
        )
        if served is not None:
            info.add_metric([str(value) for value in served.identity.values()], 1.0)
        yield info
        yield GaugeMetricFamily(
            "warrant_ready", "Whether a model is loaded", value=float(served is not None)
        )
        if status.stale_s is not None:
            yield GaugeMetricFamily(
                "warrant_model_stale_seconds",
                "Time since the model was last known to be in production; 0 while followed",
                value=status.stale_s,
            )
        yield GaugeMetricFamily(
            "warrant_store_fault",
            "Whether the last look at the ledger failed",
            value=float(status.fault is not None),
        )
        yield CounterMetricFamily(
            "warrant_store_faults", "Looks at the ledger that failed", value=status.faults
        )


def _shadow(role: Role, other: Served, comparison: Comparison) -> Iterator[Metric]:
    """Yield how the version beside production compares with it."""
    labels = ("role", "version")
    of = (role, str(other.version))
    for name, text, value in (
        ("rows", "Rows that both versions scored", comparison.rows),
        ("rows_dropped", "Rows that the shadow had no time for", comparison.dropped),
        ("failures", "Rows for which the other version had no answer", comparison.failures),
        (
            "disagreements",
            "Rows that the two versions answered differently",
            comparison.disagreements,
        ),
        ("difference", "Sum of the largest difference of a score, by row", comparison.difference),
        ("seconds", "Time that the other version took", comparison.seconds),
    ):
        counter = CounterMetricFamily(f"warrant_shadow_{name}", text, labels=labels)
        counter.add_metric(of, float(value))
        yield counter
