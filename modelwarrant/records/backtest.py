"""What did a rule decide on a stream, window by window, and what did that cost?"""

from typing import Literal

from modelwarrant.records.base import Part, Record
from modelwarrant.records.decision import Verdict
from modelwarrant.records.evaluation import Interval

__all__ = [
    "BacktestScore",
    "BacktestStep",
    "BacktestSummary",
    "Difference",
    "Guarantee",
    "Prices",
    "RuleFigures",
]


class Prices(Part):
    """What acts and errors cost; an error is a row of the largest loss."""

    label: float = 1.0
    """Of a label that was asked for; labels that come by themselves are free."""
    retrain: float = 50.0
    error: float = 1.0
    """Of a row whose loss is the first model's 99.5 % quantile; other losses in proportion."""
    promotion: float = 10.0


class BacktestStep(Part):
    """One window's decision, and what the next window said of it."""

    window: int
    """Number of the window whose model was the candidate."""
    trained: bool
    """Whether the rule asked for a candidate at all."""
    verdict: Verdict | None
    """Of the promotion policy; None for a rule that has no verdicts."""
    row: str | None
    """The row of the policy that matched."""
    reviewed: bool
    """Whether a person was asked."""
    promoted: bool
    production_loss: float
    """On the next window, of the model that was in production before the decision."""
    candidate_loss: float | None
    """On the next window; None where no candidate could be made of these rows."""
    oracle_loss: float
    """On the next window, of the model that the oracle has in production there."""
    wrong: bool
    """Promoted a candidate that the next window did not find better."""
    missed: bool
    """Left a candidate that the next window found better by more than ``worthwhile``."""
    rows: int = 0
    """Labelled rows of the next window."""
    labels: int = 0
    """Labelled rows that the rule read for this decision, in training or in judging."""
    asked: int = 0
    """Of them, labels that would not have come by themselves."""
    why: str = ""
    """What led to the training, or why there was none; empty for a rule that gives no reason."""

    @property
    def loss(self) -> float:
        """On the next window, of what is in production after the decision."""
        if self.promoted and self.candidate_loss is not None:
            return self.candidate_loss
        return self.production_loss


class BacktestScore(Record):
    """One rule on one stream."""

    schema_version: Literal[1] = 1
    scenario: str
    seed: int
    rule: str
    task: Literal["classification", "regression"]
    metric: str
    windows: int
    rows: int
    """Rows of the whole stream."""
    worthwhile: float
    """Share of production's loss that a gain must exceed to be missed: the policy's min_gain."""
    steps: tuple[BacktestStep, ...]
    unit: float = 1.0
    """The first model's 99.5 % quantile of loss on its own final split: the loss of one error."""
    shifted: int | None = None
    """Number of the window in which the shift begins; None without one, or where nobody knows."""

    @property
    def promotions(self) -> int:
        """Candidates that went to production."""
        return sum(step.promoted for step in self.steps)

    @property
    def wrong(self) -> int:
        """Promotions that the next window did not find better."""
        return sum(step.wrong for step in self.steps)

    @property
    def missed(self) -> int:
        """Worthwhile candidates that were left."""
        return sum(step.missed for step in self.steps)

    @property
    def reviews(self) -> int:
        """Decisions that a person was asked for."""
        return sum(step.reviewed for step in self.steps)

    @property
    def trainings(self) -> int:
        """Candidates that the rule asked for."""
        return sum(step.trained for step in self.steps)

    @property
    def harmful(self) -> int:
        """Promotions that the next window found worse by more than ``worthwhile``."""
        return sum(
            step.promoted and step.loss > step.production_loss * (1 + self.worthwhile)
            for step in self.steps
        )

    @property
    def regret(self) -> float:
        """Loss beyond the oracle's, as a share of the oracle's, over all next windows."""
        oracle = sum(step.oracle_loss for step in self.steps)
        ours = sum(step.loss for step in self.steps)
        return (ours - oracle) / oracle if oracle > 0 else 0.0

    def cost(self, prices: Prices) -> float:
        """Return what all decisions and the losses after them cost."""
        errors = sum(step.rows * step.loss for step in self.steps) / self.unit
        return (
            prices.error * errors
            + prices.retrain * self.trainings
            + prices.promotion * self.promotions
            + prices.label * sum(step.asked for step in self.steps)
        )


class RuleFigures(Part):
    """One rule over many streams; every interval is over streams."""

    rule: str
    group: str
    """``all``, or the streams that have something in common: a task, a kind of shift, a shape."""
    streams: int
    decisions: int
    promotions: int
    wrong: Interval
    """False promotions a hundred decisions."""
    harmful: Interval
    """Promotions of what the next window finds worse by more than ``worthwhile``, a hundred."""
    missed: Interval
    """False blocks a hundred decisions: worthwhile candidates that were left."""
    reviews: Interval
    """A hundred decisions."""
    trainings: Interval
    """A hundred decisions."""
    unanswered: Interval | None
    """Missed degradations: of a hundred windows in which production is degraded, those after which
    nothing was promoted, nobody was asked and no fault was called; None without such a window."""
    delay: Interval | None
    """Windows from the shift until production is restored, those that are left where it never is;
    over streams in which the first model would be degraded. None without one."""
    regret: Interval
    """Mean share of the oracle's loss, in percent."""
    labels: Interval
    """Labelled rows read, a window."""
    cost: Interval
    """A window, at ``Prices``."""


class Difference(Part):
    """One rule's figure minus another's on the same streams; the interval is over streams."""

    figure: Literal["wrong", "cost"]
    """As in ``RuleFigures``."""
    rule: str
    against: str
    group: str
    streams: int
    difference: Interval
    about: str = ""


class Guarantee(Part):
    """One promise, checked where the right answer is certain."""

    name: str
    about: str
    """What was counted."""
    found: int
    of: int
    """Seasons, chains or runs."""
    share: Interval
    side: Literal["at most", "at least"]
    limit: float
    """Declared before: the share that must not be passed."""
    others: dict[str, float]
    """What usual rules do with the same rows, as shares, by rule."""

    @property
    def is_met(self) -> bool:
        """Whether the share that was found keeps the limit."""
        if self.side == "at most":
            return self.share.estimate <= self.limit
        return self.share.estimate >= self.limit


class BacktestSummary(Record):
    """Every rule's figures, over all streams and for groups of them."""

    schema_version: Literal[1] = 1
    streams: int
    seeds: int
    scenarios: tuple[str, ...]
    rules: tuple[str, ...]
    overall: tuple[RuleFigures, ...]
    by_group: tuple[RuleFigures, ...]
    differences: tuple[Difference, ...] = ()
    """Declared before looking; see ``backtest.differences``."""
    guarantees: tuple[Guarantee, ...] = ()
    prices: Prices = Prices()
