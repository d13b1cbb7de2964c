"""What would have been decided on a history, window by window, and what would it have cost?"""

from typing import Literal

from modelwarrant.records.backtest import BacktestScore, Prices
from modelwarrant.records.base import Part, Record
from modelwarrant.records.decision import Verdict
from modelwarrant.records.drift import DriftLevel

__all__ = ["HistoryReport", "HistoryWalk", "HistoryWindow", "RuleTotals", "WalkedWindow"]


SeasonVerdict = Literal["no drift", "lasting", "seasonal", "unknown"]


class WalkedWindow(Part):
    """What a rule saw and did at the end of one window."""

    drift: DriftLevel | None = None
    """Of the window against the one that production was made from; None for a rule that does not
    look."""
    drifted: tuple[str, ...] = ()
    """What makes the level: features, the features together, the score, or gates."""
    season: SeasonVerdict | None = None
    """Whether drift is lasting or the season's; None where no season is declared."""
    learned_from: str | None = None
    """Bounds of the rows that a trained candidate learned from."""


class HistoryWalk(Record):
    """One rule over the whole history; kept, so that it need not be run again."""

    schema_version: Literal[1] = 1
    score: BacktestScore
    windows: tuple[WalkedWindow, ...]
    """One for each step of the score."""


class HistoryWindow(Part):
    """One window of the history, and what was decided at its end."""

    number: int
    bounds: str
    rows: int
    labelled: int
    """Rows whose label had come when the window ended."""
    final: int
    """Of them, rows that judged."""
    drift: DriftLevel | None
    drifted: tuple[str, ...]
    season: SeasonVerdict | None
    """Whether drift is lasting or the season's; None where no season is declared."""
    trained: bool
    learned_from: str | None
    """Bounds of the rows that the candidate learned from; ``windows: train`` of a project takes
    them."""
    verdict: Verdict | None
    rule: str | None
    """The row of the promotion policy that matched."""
    promoted: bool
    why: str
    """What led to the training, or why there was none."""
    losses: dict[str, float]
    """Realised on the next window, a row, by rule."""


class RuleTotals(Part):
    """What one rule came to over the whole history."""

    rule: str
    loss: float
    """Mean over all rows of the next windows, in the metric's unit."""
    trainings: int
    promotions: int
    reviews: int
    """Decisions that a person was asked for."""
    labels: int
    """Labelled rows that it read."""
    labels_asked: int
    """Of them, labels that would not have come by themselves."""
    cost: float
    cost_ratio: float | None
    """To the cheapest of never, periodic and metric-only; None where none of them was run."""


class HistoryReport(Record):
    """A backtest of a project's own history."""

    schema_version: Literal[1] = 1
    model: str
    task: Literal["classification", "regression"]
    metric: str
    source: str
    window: str
    """Length of a window: a period, or rows."""
    is_default_window: bool
    season: str | None
    label_delay: str | None
    final: float
    n_required: int | None
    """Labels at which a gain of the policy's ``min_gain`` is seen; None where undefined."""
    smallest_gain: float | None
    """Share of the loss that a gain must have to be seen in one window with probability .8."""
    can_promote: bool
    """False where no window can ever hold the evidence that the policy asks for."""
    remarks: tuple[str, ...]
    prices: Prices
    unit: float
    """Loss of a row that costs one error."""
    policy_digest: str
    engine_version: str
    windows: tuple[HistoryWindow, ...]
    """Those at whose end something was decided: neither the first nor the last."""
    totals: tuple[RuleTotals, ...]
