"""What would each window's model be, and what would the lifecycle find of it?

The real lifecycle in process: training with its parity gate, drift, evaluation. What does not
depend on the rule is computed once and shared by every rule that runs over the same stream.

A model has a number: that of its window, or, where it learned from a stretch of windows, a larger
one that ``Course.spanning`` gives out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant import drift, evaluation
from modelwarrant.backtest.laps import Lap, pooled
from modelwarrant.backtest.making import make
from modelwarrant.backtest.shelf import Shelf
from modelwarrant.bundle import Bundle, permutation_weights
from modelwarrant.drift.seasons import History
from modelwarrant.errors import DataError, TrainingError
from modelwarrant.evaluation import Scored
from modelwarrant.evaluation.blocks import Blocks, block_rows
from modelwarrant.evaluation.losses import aligned, loss_bound, row_losses, truth_of
from modelwarrant.records import DriftReport, EvaluationReport, ModelManifest, Recipe, WindowRef
from modelwarrant.windows import Bounds, TrainingSplit, Window, like_season, parse_bounds

__all__ = ["Course", "EvaluationTerms", "Span"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EvaluationTerms:
    """What was declared before anything was looked at."""

    alpha: float
    margin_non_inferiority: float
    margin_slices: float
    policy_digest: str


@dataclass(frozen=True)
class Span:
    """Which windows a model learns from: all rows that are labelled when the last one ends."""

    first: int
    lap: int
    """The last one, whose final split is left out."""
    without: int
    """Window of the model in production, whose final split is left out, too."""


@dataclass
class Course:
    """A stream's windows with a model each, made when first asked for.

    Args:
        laps: the windows, oldest first.
        recipe: how every model is fitted.
        metric: what decisions are about.
        train: rows of a window's own model: its training split, or that and the one before.
        slices: features within which models are compared, too.
        season: the period after which the data repeats itself, where it is declared.
        history: all rows that may be looked into for the same season before, oldest first.
        shelf: where models are kept; None keeps them in memory only.
    """

    laps: Sequence[Lap]
    recipe: Recipe
    metric: str
    train: Literal["current", "both"] = "current"
    slices: tuple[str, ...] = ()
    season: timedelta | None = None
    history: Window | None = None
    shelf: Shelf | None = None
    trials: dict[Span, float] = field(default_factory=dict)
    """Losses that ``spans`` found of stretches: rules over one stream try the same ones."""
    _spans: list[Span] = field(default_factory=list)
    _models: dict[int, Bundle | None] = field(default_factory=dict)
    _refusals: dict[int, str] = field(default_factory=dict)
    _losses: dict[tuple[int, int, bool], Floats] = field(default_factory=dict)
    _pools: dict[tuple[int, int], Lap] = field(default_factory=dict)
    _drift: dict[tuple[int, int, int], DriftReport] = field(default_factory=dict)
    _evaluations: dict[tuple[int, int, int, int, int, EvaluationTerms], EvaluationReport] = field(
        default_factory=dict
    )

    def spanning(self, span: Span) -> int:
        """Return the number of the model that learns from a stretch of windows."""
        if span not in self._spans:
            self._spans.append(span)
        return len(self.laps) + self._spans.index(span)

    def span_of(self, model: int) -> Span | None:
        """Return the stretch of windows that a model learned from; None for a window's own."""
        return None if model < len(self.laps) else self._spans[model - len(self.laps)]

    def lap_of(self, model: int) -> int:
        """Return the newest window that a model learned from: whose final split judges it."""
        span = self.span_of(model)
        return model if span is None else span.lap

    def candidate(self, model: int) -> Bundle | None:
        """Return a model, or None where none can be made of its rows."""
        if model not in self._models:
            current = self.laps[self.lap_of(model)].ref
            try:
                self._models[model] = make(
                    self.training(model), self.recipe, current=current, shelf=self.shelf
                )
            except (DataError, TrainingError) as error:
                self._models[model] = None
                self._refusals[model] = str(error)
        return self._models[model]

    def refusal(self, model: int) -> str:
        """Return why no model can be made; empty where one can."""
        self.candidate(model)
        return self._refusals.get(model, "")

    def model(self, model: int) -> Bundle:
        """Return a model that can be made.

        Raises:
            TrainingError: none can be made of its rows.
        """
        found = self.candidate(model)
        if found is None:
            bounds = self.laps[self.lap_of(model)].ref.bounds
            raise TrainingError(f"no model can be made of {bounds}: {self.refusal(model)}")
        return found

    def training(self, model: int) -> list[TrainingSplit]:
        """Return the rows that a model learns from, oldest window first."""
        span = self.span_of(model)
        if span is None:
            first = max(model - 1, 0) if self.train == "both" else model
            return [self.laps[lap].train for lap in range(first, model + 1)]
        older = [
            self.laps[lap].train
            if lap == span.without
            else TrainingSplit(self.laps[lap].whole.labelled())
            for lap in range(span.first, span.lap)
        ]
        return [*older, self.laps[span.lap].train]

    def loss(self, model: int, on: int, *, final: bool = False) -> float:
        """Return the mean loss of a model on a window, or on the window's final split."""
        return float(np.mean(self.row_losses(model, on, final=final)))

    def loss_bound(self, model: int) -> float:
        """Return a model's 99.5 % quantile of loss on its own final split, or 1 where that is 0."""
        losses = self.row_losses(model, self.lap_of(model), final=True)
        classes = self.laps[0].window.schema.classes or ()
        return loss_bound([losses], metric=self.metric, n_classes=max(len(classes), 2)) or 1.0

    def row_losses(self, model: int, on: int, *, final: bool = False) -> Floats:
        """Return the losses of a model on a window's rows, (n,) float64 and not clipped.

        Args:
            model: the model that answers.
            on: number of the window whose labelled rows are answered, oldest first.
            final: its final split alone.
        """
        key = model, on, final
        if key not in self._losses:
            self._losses[key] = self.losses_on(self.model(model), self._judged(on, final=final))
        return self._losses[key]

    def known_losses(self, model: int, on: int) -> Floats:
        """Return the losses on the rows of a window that are labelled when it ends."""
        if self.laps[on].window is self.laps[on].whole:
            return self.row_losses(model, on)
        return self.losses_on(self.model(model), self.laps[on].window.labelled())

    def losses_on(self, bundle: Bundle, window: Window) -> Floats:
        """Return the losses of any model on labelled rows, (n,) float64 and not clipped."""
        truth = truth_of(window, classes=bundle.schema.classes or (), name="next")
        answers = aligned(bundle.predict(window), truth, model="production", window="next")
        return row_losses(answers, truth, metric=self.metric)

    def blocks(self, on: int, *, final: bool = False) -> Blocks:
        """Return which of a window's labelled rows move together; see ``row_losses``."""
        return block_rows(self._judged(on, final=final))

    def pool(self, since: int, until: int) -> Lap:
        """Return what a model of window ``since`` has not seen when ``until`` ends."""
        key = since, until
        if key not in self._pools:
            self._pools[key] = pooled(self.laps, since, until)
        return self._pools[key]

    def drift(self, production: int, lap: int, *, since: int | None = None) -> DriftReport:
        """Compare a window with the one that production was made from, as the stage does.

        Args:
            production: the model in production.
            lap: number of the window.
            since: the first of the windows that are compared together, where it is another.
        """
        first = lap if since is None else since
        key = production, first, lap
        if key not in self._drift:
            model = self.model(production)
            reference, current = self.laps[self.lap_of(production)], self.pool(first, lap).window
            unseen = reference.final.window
            schema = model.schema
            codes = unseen.codes(schema.target or "", schema.classes) if schema.classes else None
            self._drift[key] = drift.compare(
                reference.window,
                current,
                scores=(
                    model.predict(unseen),
                    model.predict(like_season(current, unseen, self.season)),
                ),
                reference_labels_for_scores=codes,
                weights=permutation_weights(model, unseen),
                season=self.season,
                history=self._past(model),
                production_digest=model.digest,
            )
        return self._drift[key]

    def _past(self, model: Bundle) -> History | None:
        if self.season is None or self.history is None:
            return None
        return History(self.history, model.predict(self.history))

    def evaluation(
        self,
        lap: int,
        *,
        production: int,
        anchor: int,
        terms: EvaluationTerms,
        candidate: int | None = None,
        since: int | None = None,
    ) -> EvaluationReport:
        """Score a candidate and production on the same final rows, as the stage does.

        Args:
            lap: number of the window.
            production: the model in production.
            anchor: the last model that a person approved.
            terms: level and margins.
            candidate: any model; None takes the window's own.
            since: window from whose final split on all rows judge; None takes ``lap``.
        """
        wanted, first = lap if candidate is None else candidate, lap if since is None else since
        key = wanted, first, lap, production, anchor, terms
        if key not in self._evaluations:
            current, reference = self.pool(first, lap), self.laps[self.lap_of(production)]
            self._evaluations[key] = evaluation.compare(
                current.final,
                reference.final,
                candidate=self._scored(wanted, current, reference),
                production=self._scored(production, current, reference),
                anchor=self._scored(anchor, current, reference),
                trivial=Scored(
                    digest="trivial",
                    current=evaluation.trivial(current.train, current.final, self.metric),
                    reference=evaluation.trivial(current.train, reference.final, self.metric),
                ),
                metric=self.metric,
                alpha=terms.alpha,
                margin_non_inferiority=terms.margin_non_inferiority,
                slices=self.slices,
                margin_slices=terms.margin_slices,
                policy_digest=terms.policy_digest,
            )
        return self._evaluations[key]

    def manifest(
        self, lap: int, *, production: int, candidate: int | None = None, since: int | None = None
    ) -> ModelManifest:
        """Return a candidate's manifest with the windows of the decision; see ``evaluation``."""
        wanted, first = lap if candidate is None else candidate, lap if since is None else since
        current = self.pool(first, lap).ref
        found = self.model(wanted).manifest
        changes: dict[str, object] = {
            "current": current,
            "reference": self.laps[self.lap_of(production)].ref,
        }
        span = self.span_of(wanted)
        if span is not None:
            changes |= {"train": "own", "own": self._own(span, found.training_digest)}
        return found.model_copy(update=changes)

    def _own(self, span: Span, digest: str) -> WindowRef:
        """Return the training window of a stretch; it ends where its final split begins."""
        first, last = self.laps[span.first].ref, self.laps[span.lap].ref
        began = parse_bounds(first.bounds)
        changes = {
            "bounds": str(Bounds(began.unit, began.start, last.final_first)),
            "first": first.first,
            "window_digest": digest,
            "train_digest": digest,
            "final_digest": None,
        }
        return last.model_copy(update=changes)

    def _judged(self, on: int, *, final: bool) -> Window:
        return self.laps[on].final.window if final else self.laps[on].whole.labelled()

    def _scored(self, model: int, current: Lap, reference: Lap) -> Scored:
        bundle = self.model(model)
        return Scored(
            digest=bundle.digest,
            current=bundle.predict(current.final.window),
            reference=bundle.predict(reference.final.window),
        )
