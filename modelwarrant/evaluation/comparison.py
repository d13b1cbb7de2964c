"""How does a candidate compare with production on the same rows of both windows?"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError, ProjectError
from modelwarrant.evaluation.auc import delong
from modelwarrant.evaluation.bounds import mean_bounds
from modelwarrant.evaluation.calibration import compare_calibration
from modelwarrant.evaluation.champion import champion_state
from modelwarrant.evaluation.losses import (
    HIGHER_IS_BETTER,
    REPORTED_METRICS,
    loss_bound,
    require_decision_metric,
    scores,
)
from modelwarrant.evaluation.scoring import Role, Scored, ScoredSplit, score_split
from modelwarrant.evaluation.significance import mcnemar, sign_e_value
from modelwarrant.evaluation.slices import compare_slices, require_slices
from modelwarrant.records import (
    Calibration,
    ChampionState,
    Comparison,
    Discordant,
    EvaluationReport,
    Interval,
    MetricValue,
    SliceComparison,
)
from modelwarrant.windows import FinalSplit, Predictions, slice_members

__all__ = ["MARGIN_SLICES", "compare"]

Floats = npt.NDArray[np.float64]
Baseline = Literal["production", "anchor", "trivial"]

MARGIN_SLICES = 0.10
"""Share of the baseline's loss by which a slice may get worse before it must be ruled out."""

_SPLITS_DIFFER = "the {role} was not scored on the reference's final split; score it there too"


def compare(
    current: FinalSplit,
    reference: FinalSplit | None = None,
    *,
    candidate: Scored,
    production: Scored | None,
    anchor: Scored | None,
    trivial: Scored,
    metric: str,
    alpha: float,
    margin_non_inferiority: float,
    slices: Sequence[str] = (),
    policy_digest: str,
    margin_slices: float = MARGIN_SLICES,
) -> EvaluationReport:
    """Score candidate and baseline on the same rows and bound the difference.

    ``gain`` is everywhere the baseline's loss minus the candidate's. Log loss is clipped first at
    the larger of the two models' 99.5 % quantiles on the reference (on the current window where
    there is none), so that one row cannot decide.

    Args:
        current: the newest rows of the current window, which no training has seen.
        reference: the final split of the window production was made from.
        candidate: the model that wants to be promoted.
        production: the model in service; None before the first promotion.
        anchor: the last model a person approved.
        trivial: the constant predictor of ``trivial``, the baseline of a first model.
        metric: one of ``DECISION_METRICS`` of the schema's task.
        alpha: level of every one-sided bound, in (0, 0.5), looks accounted for by
            ``policy.alpha_for``.
        margin_non_inferiority: share of the baseline's loss, >= 0.
        slices: features to look into one by one.
        policy_digest: of the policy that gave alpha and margins.
        margin_slices: share of the baseline's loss, >= 0; see ``slices``.

    Raises:
        TypeError: a window that is no ``FinalSplit``.
        DataError: predictions do not fit the rows; or one digest has two different answers.
        TargetError: a target that cannot be used.
        ProjectError: a metric that cannot decide, or a slice that is no feature.
        ValueError: alpha or a margin outside its range.
    """
    _check_arguments(current, reference, alpha, margin_non_inferiority, margin_slices)
    require_slices(slices, current.window)
    models: dict[Role, Scored | None] = {
        "candidate": candidate,
        "production": production,
        "anchor": anchor,
        "trivial": trivial,
    }
    here, there = _both_splits(current, reference, models, metric=metric)
    baseline: Literal["production", "trivial"] = "trivial" if production is None else "production"
    bound = _clip(here, there, baseline, metric=metric)
    against = _Against(metric, alpha, bound)
    main = against(here, baseline)
    rng = np.random.default_rng(int(here.digest.removeprefix("sha256:")[:16], 16))
    absolute_slices = margin_slices * main.baseline_loss
    absolute = margin_non_inferiority * main.baseline_loss
    return EvaluationReport(
        task=here.truth.task,
        metric=metric,
        alpha=alpha,
        margin_non_inferiority=absolute,
        margin_slices=absolute_slices,
        candidate_digest=candidate.digest,
        production_digest=None if production is None else production.digest,
        anchor_digest=None if anchor is None else anchor.digest,
        current_final_digest=here.digest,
        reference_final_digest=None if there is None else there.digest,
        policy_digest=policy_digest,
        current=main,
        reference=None if there is None else against(there, baseline),
        anchor=None if anchor is None else against(here, "anchor"),
        floor=against(here, "trivial"),
        slices=_slices(
            here,
            there,
            slices,
            against.gains(here, baseline),
            alpha=alpha,
            margin=absolute,
            margin_slices=absolute_slices,
        ),
        calibration=_calibration(here, alpha=alpha, rng=rng),
        champion=_champion(here, there, metric=metric),
        metrics=(
            *_metrics(here, baseline, metric=metric, alpha=alpha),
            *(_metrics(there, baseline, metric=metric, alpha=alpha) if there is not None else ()),
        ),
        loss_bound=bound,
        identical_answers=production is not None
        and bool(np.array_equal(here.answers["candidate"], here.answers["production"])),
    )


def _check_arguments(
    current: FinalSplit,
    reference: FinalSplit | None,
    alpha: float,
    margin_non_inferiority: float,
    margin_slices: float,
) -> None:
    for window in (current, reference):
        if window is not None and not isinstance(window, FinalSplit):
            raise TypeError(
                f"compare takes final splits, not {type(window).__name__}: only rows that no "
                "training has seen may judge a model (windows.split)"
            )
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha {alpha} is not in (0, 0.5)")
    for name, margin in (("non-inferiority", margin_non_inferiority), ("slices", margin_slices)):
        if not 0 <= margin < 1:
            raise ValueError(f"the {name} margin {margin} is not a share in [0, 1)")


def _both_splits(
    current: FinalSplit,
    reference: FinalSplit | None,
    models: Mapping[Role, Scored | None],
    *,
    metric: str,
) -> tuple[ScoredSplit, ScoredSplit | None]:
    task = current.window.schema.task
    if task is None:
        raise ProjectError("the windows' schema names no task; say classification or regression")
    require_decision_metric(metric, task=task)
    known = {role: model for role, model in models.items() if model is not None}
    labels = tuple(
        dict.fromkeys(label for model in known.values() for label in model.current.classes)
    )
    on_current = {role: (model.digest, model.current) for role, model in known.items()}
    here = score_split(current, on_current, name="current", metric=metric, classes=labels)
    if reference is None:
        return here, None
    on_reference: dict[Role, tuple[str, Predictions]] = {
        role: (model.digest, model.reference)
        for role, model in known.items()
        if model.reference is not None
    }
    compared: tuple[Role, ...] = (
        "candidate",
        "production" if "production" in known else "trivial",
    )
    for role in compared:
        if role not in on_reference:
            raise DataError(_SPLITS_DIFFER.format(role=role))
    there = score_split(reference, on_reference, name="reference", metric=metric, classes=labels)
    return here, there


def _clip(
    here: ScoredSplit, there: ScoredSplit | None, baseline: Role, *, metric: str
) -> float | None:
    if metric != "log_loss":
        return None
    losses = (here if there is None else there).losses
    return loss_bound(
        [losses["candidate"], losses[baseline]], metric=metric, n_classes=len(here.truth.classes)
    )


class _Against:
    """Compares the candidate with a baseline on a split, in one metric at one level."""

    def __init__(self, metric: str, alpha: float, bound: float | None) -> None:
        self._metric = metric
        self._alpha = alpha
        self._bound = bound

    def _clipped(self, losses: Floats) -> Floats:
        return losses if self._bound is None else np.minimum(losses, self._bound)

    def gains(self, split: ScoredSplit, baseline: Role) -> Floats:
        """Return the baseline's loss minus the candidate's of each row, clipped."""
        losses = split.losses
        return self._clipped(losses[baseline]) - self._clipped(losses["candidate"])

    def __call__(self, split: ScoredSplit, baseline: Baseline) -> Comparison:
        """Return the comparison."""
        gains = self.gains(split, baseline)
        bounds = mean_bounds(gains, split.blocks, alpha=self._alpha)
        n_rows = len(gains)
        discordant = _discordant(gains) if self._metric == "error_rate" else None
        return Comparison(
            window=split.name,
            baseline=baseline,
            n_rows=n_rows,
            n_blocks=bounds.n_blocks,
            baseline_loss=float(self._clipped(split.losses[baseline]).mean()),
            candidate_loss=float(self._clipped(split.losses["candidate"]).mean()),
            gain=Interval(
                estimate=bounds.estimate,
                lower=bounds.lower,
                upper=bounds.upper,
                alpha=self._alpha,
                method=bounds.method,
            ),
            deviation=None if bounds.deviation is None else bounds.deviation * n_rows**0.5,
            reason=bounds.reason,
            mcnemar_p_value=None if discordant is None else discordant.mid_p_value,
            discordant=discordant,
        )


def _discordant(gains: Floats) -> Discordant:
    """Return what McNemar's test says of gains in the error rate: 1, 0 or -1 a row."""
    found = mcnemar(int((gains > 0).sum()), int((gains < 0).sum()))
    return Discordant(
        candidate_only=found.wins,
        baseline_only=found.losses,
        exact_p_value=found.exact,
        mid_p_value=found.mid_p,
        chi2=found.chi2,
        chi2_p_value=found.chi2_p_value,
        chi2_corrected=found.chi2_corrected,
        chi2_corrected_p_value=found.chi2_corrected_p_value,
        e_value=sign_e_value(found.wins, found.losses),
    )


def _slices(
    here: ScoredSplit,
    there: ScoredSplit | None,
    columns: Sequence[str],
    gains: Floats,
    *,
    alpha: float,
    margin: float,
    margin_slices: float,
) -> tuple[SliceComparison, ...]:
    window = None if there is None else there.window
    members = [m for column in columns for m in slice_members(here.window, window, column)]
    return compare_slices(
        gains, here.blocks, members, alpha=alpha, margin=margin, margin_slices=margin_slices
    )


def _calibration(here: ScoredSplit, *, alpha: float, rng: np.random.Generator) -> Calibration:
    positive = here.window.schema.positive
    return compare_calibration(
        here.answers["candidate"],
        here.answers.get("production"),
        here.truth,
        here.blocks,
        positive=here.truth.classes.index(positive) if positive is not None else 1,
        alpha=alpha,
        rng=rng,
    )


def _champion(here: ScoredSplit, there: ScoredSplit | None, *, metric: str) -> ChampionState:
    if "production" not in here.losses:
        return ChampionState(level="unknown", reason="no production model")
    current = here.losses["production"]
    if there is None:
        return champion_state(current, here.blocks, None, None, bound=None)
    reference = there.losses["production"]
    bound = loss_bound([reference], metric=metric, n_classes=len(here.truth.classes))
    return champion_state(current, here.blocks, reference, there.blocks, bound=bound)


def _metrics(
    split: ScoredSplit, baseline: Role, *, metric: str, alpha: float
) -> tuple[MetricValue, ...]:
    theirs = scores(split.answers[baseline], split.truth)
    ours = scores(split.answers["candidate"], split.truth)
    names = dict.fromkeys((metric, *REPORTED_METRICS[split.truth.task]))
    return tuple(
        MetricValue(
            window=split.name,
            name=name,
            baseline=theirs[name],
            candidate=ours[name],
            higher_is_better=name in HIGHER_IS_BETTER,
            gain=_auc_gain(split, baseline, alpha=alpha) if name == "roc_auc" else None,
        )
        for name in names
    )


def _auc_gain(split: ScoredSplit, baseline: Role, *, alpha: float) -> Interval | None:
    if len(split.truth.classes) != 2:
        return None
    found = delong(
        split.truth.codes == 1, split.answers["candidate"][:, 1], split.answers[baseline][:, 1]
    )
    if found is None:
        return None
    half = NormalDist().inv_cdf(1 - alpha) * found.deviation
    return Interval(
        estimate=found.difference,
        lower=found.difference - half,
        upper=found.difference + half,
        alpha=alpha,
        method="DeLong, independent rows",
    )
