"""What did a monitoring pass see, and what did it therefore do?

The evidence holds every number that the decision rests on, so that anybody can decide again: the
action is a pure function of it (``monitoring.decide``). No clock stands in it; what depends on time
was turned into facts (``cooldown``, ``is_watched``) before.
"""

from typing import Literal

from pydantic import Field

from modelwarrant.records.base import Part, Record
from modelwarrant.records.drift import DriftLevel
from modelwarrant.records.estimation import PerformanceEstimate, RealisedLoss

__all__ = [
    "LabelCounts",
    "LogCounts",
    "LossTest",
    "MonitorAct",
    "MonitoringAction",
    "MonitoringEvidence",
    "MonitoringThresholds",
    "PredictionLog",
    "Situation",
    "Stratum",
]

MonitorAct = Literal["none", "label", "retrain", "hold", "rollback"]
"""What a monitor may do."""


class MonitoringThresholds(Part):
    """The numbers a monitor compares with."""

    warn: float = Field(default=20.0, ge=2)
    """e from which the loss is worth more labels, and down to which a degradation lasts."""
    degraded: float = Field(default=100.0, ge=20)
    """e from which production counts as degraded: at most 1 % false alarms."""
    harm: float = Field(default=100.0, ge=20)
    """e from which a promotion counts as harm: at most 1 % of harmless ones."""
    effect: float = Field(default=0.08, gt=0, lt=1)
    """Growth of the loss, as a share of its range, that labels are to settle."""
    min_predictions: int = Field(default=500, ge=500)
    """Fewer predictions are no window."""
    window_rows: int = Field(default=10_000, ge=500)
    """Newest predictions that make the current window."""
    watch_labels: int = Field(default=1500, ge=100)
    """First labels of a new version that are watched."""
    watch_days: int = Field(default=90, ge=1, le=365)
    """Days after a promotion in which the watch may still roll back."""
    cooldown_days: int = Field(default=7, ge=1)
    """Days between two retrainings."""
    slo: float | None = Field(default=None, ge=0)
    """Loss up to which the service is as promised, in the metric's unit; None: the reference's."""
    raised_rate: float = Field(default=0.05, gt=0, le=1)
    """Share of the window to be labelled while the inputs drift and the estimate sees no harm."""


class Situation(Record):
    """What a pass would look at: two equal ones need one pass only."""

    schema_version: Literal[1] = 1
    model: str
    version: int
    """In production."""
    moved: int
    """Seq of the entry that put it there."""
    parent: int | None
    """What it replaced, where it could be put back."""
    is_watched: bool
    """It came by a promotion, replaced a version that may return, and is young enough."""
    cooldown: bool
    """The last retraining is too young for another one."""
    open_run: str | None
    """A run or request of this model that has no outcome yet."""
    log_digest: str
    """Digest of the keys of the prediction log since the version could have answered."""
    labels_digest: str
    """Digest of the keys of the labels' parts, whose names are digests of their content."""
    thresholds: MonitoringThresholds
    metric: str
    day: str
    """UTC; so the ledger shows that somebody looked, once a day at least."""
    engine_version: str


class LogCounts(Part):
    """What the prediction log holds; every row is in one place only."""

    files: int = 0
    torn: tuple[str, ...] = ()
    """Files that are no Parquet, or lack a column that serving writes; nothing is read of them."""
    rows: int = 0
    production: int = 0
    """Rows that the version in production answered."""
    others: int = 0
    """Rows of other versions of the ledger."""
    gone: dict[str, int] = Field(default_factory=dict)
    """Rows of versions that the ledger does not know or has barred, by version."""
    window: int = 0
    """Rows of the current window."""
    repeated: int = 0
    """Rows of production with a request id and row that an earlier answer has; not used."""
    future: int = 0
    """Rows dated after the day of the pass: clocks disagree. Used all the same."""
    first: str | None = None
    """Time of the window's oldest row."""
    last: str | None = None


class PredictionLog(Record):
    """What a pass took from the log; the labels are joined to exactly these files."""

    schema_version: Literal[1] = 1
    situation: Situation
    keys: tuple[str, ...]
    """Of the log's files that were read."""
    counts: LogCounts
    window_digest: str
    was_drifting: bool = False
    """As the last action about the same version says; see ``MonitoringEvidence``."""
    was_degraded: bool = False


class LabelCounts(Part):
    """What became of the labels that arrived."""

    parts: int = 0
    broken: tuple[str, ...] = ()
    """Parts whose bytes are not those that their name states; nothing is read of them."""
    rows: int = 0
    """Different statements about a request's row."""
    keys: int = 0
    """Requests' rows with at least one statement."""
    corrected: int = 0
    """Keys whose newest statement differs from an older one; the newest counts."""
    conflicting: int = 0
    """Keys with different labels of the same time, or without one: not used until one is dated."""
    joined: int = 0
    """Labels of answers of production."""
    of_other_versions: int = 0
    unknown_requests: int = 0
    """Labels of requests that the log does not hold, or not yet."""
    unreadable: int = 0
    """Labels that are no class, or no number, of the production model; not used."""
    early: int = 0
    """Labels dated before the answer they are about: clocks disagree. They are used."""
    state_digest: str
    """Digest of the labels that count, whatever order and partition they came in."""


class LossTest(Part):
    """An e-process over labelled losses: of production against its reference, or of two models."""

    level: Literal["ok", "warn", "reached", "unknown"]
    e_value: float | None = None
    n_labels: int = 0
    mean: float | None = None
    """Of the losses, or of their difference, as a share of the loss's range."""
    allowed: float | None = None
    """Mean up to which nothing is wrong."""
    reason: str


class Stratum(Part):
    """A part of the window from which rows are to be labelled."""

    name: str
    rows: int
    asked: int


class MonitoringEvidence(Part):
    """Everything a monitor decides by."""

    situation: Situation
    version_digest: str
    parent_digest: str | None
    drift: DriftLevel
    drift_reason: str
    """The columns or the score that make the level, in words."""
    was_drifting: bool
    """The action before, about the same version, saw drift; it lasts while there is a notice."""
    was_degraded: bool
    """The action before saw a degradation; it lasts while e is above ``warn``."""
    estimate: PerformanceEstimate | None = None
    """Of the loss, without labels; None where the pass made none."""
    realised: RealisedLoss | None = None
    """Of the window's labelled rows; None where there are none."""
    degradation: LossTest
    watch: LossTest | None
    """None where nothing is watched."""
    agreement: float | None
    """Share of watched rows that both models answer alike; None where nothing is watched."""
    n_recent: int
    """Labels of the current window."""
    n_settle: int | None
    """Labels at which a growth by ``effect`` is seen with probability .8; None where undefined."""
    sample: tuple[Stratum, ...]
    """How the missing labels are spread over the window."""
    sample_digest: str | None
    """Digest of the list of rows to label."""
    log: LogCounts
    labels: LabelCounts
    drift_report_digest: str | None
    window_digest: str | None
    reference_digest: str | None

    @property
    def n_missing(self) -> int | None:
        """Labels that are missing to settle the question in the current window."""
        return None if self.n_settle is None else max(0, self.n_settle - self.n_recent)


class MonitoringAction(Record):
    """What a pass did and why. Its digest is the evidence digest of the ledger's ``act``."""

    schema_version: Literal[1] = 1
    model: str
    action: MonitorAct
    rule: str
    """Name of the row that matched first."""
    reason: str
    """One sentence with the numbers that made the row match."""
    evidence: MonitoringEvidence
