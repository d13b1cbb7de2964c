"""How is one prediction service configured?"""

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One process's configuration; every limit has its unit in its name."""

    model: str
    """Name of the model whose ledger is followed."""

    poll_s: float = 1.0
    """Seconds between two looks at the ledger, > 0. A look at a folder costs one failed open; a
    rollback in it is seen within 2 s, also where the machine is busy."""

    max_body_bytes: int = 8 * 2**20
    """Largest request body; a larger one is 413. Holds ``max_rows`` rows of 30 numbers."""

    max_rows: int = 10_000
    """Most rows in one request; more are 422. About a second of work for the slowest model."""

    body_timeout_s: float = 10.0
    """Longest wait for a whole body; then 408. Ends clients that trickle bytes, also those that
    were answered without it."""

    inline_body_bytes: int = 128 * 2**10
    """Bodies up to this size are read on the event loop, larger ones on the one worker thread.
    128 KiB are about 200 rows of 30 numbers, which take a millisecond to read."""

    inline_s: float = 0.002
    """Longest time that the model may take on the event loop, as measured when it was loaded; more
    rows are scored on the worker thread."""

    answer_timeout_s: float = 30.0
    """Longest wait of a large request for its answer; then 503. So long an answer waits for its
    client to read it."""

    max_waiting: int = 8
    """Large requests that may be read or wait beside the one at work; one more is 503 with
    Retry-After. With ``max_body_bytes`` it bounds the memory of bodies to 72 MiB. A small body
    whose rows take long counts as a 64th of one."""

    max_connections: int = 1000
    """Open connections; one more is 503 with Retry-After. Each may hold 64 KiB of a head and
    ``inline_body_bytes`` of a body."""

    problems_shown: int = 20
    """Problems that a 422 lists, the first ones."""

    shadow: bool = True
    """Whether another version is compared with the one in production, for 5 % of a core."""

    watch_s: float = 3600.0
    """Seconds after a promotion in which the version before is the one compared."""

    admin_token: str | None = None
    """What ``Authorization: Bearer`` must say on admin routes; None has no such routes."""

    log_payload: bool = True
    """Whether predictions are logged to the store; the monitor reads them."""

    private_columns: frozenset[str] = frozenset()
    """Features that are never logged."""

    log_flush_s: float = 10.0
    """Longest time a prediction waits in memory before its file is written."""

    log_flush_rows: int = 5_000
    """Rows at which a file is written at once; about 1 MB for 30 features."""

    log_buffer_rows: int = 20_000
    """Rows held at most; more are dropped and counted. About 50 MB for 30 features."""

    grace_s: float = 0.0
    """Seconds the service still answers after a SIGTERM, while ``/readyz`` says 503, so that load
    balancers take it out first. 0 on a laptop, where none is in front."""

    shutdown_timeout_s: float = 10.0
    """Longest wait for requests in flight after the grace period."""
