"""D3: can a classifier tell the two windows apart?

It sees what no single feature shows: correlations that changed while every marginal stayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special, stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.drift.groups import STRETCHES, mean_of, stretches
from modelwarrant.records import JointDrift
from modelwarrant.windows import Feature, Window

__all__ = ["Auc", "DensityRatio", "auc", "density_ratio", "joint_drift", "paired_column"]

_NOTICE_AUC, _DRIFT_AUC = 0.55, 0.65
"""Effect floors: folds share training rows, so z alone rejects 6.7 % at nominal 5 % (60 runs)."""

_MAX_ROWS = 5000
_FOLDS = 5

_CLOCK_SHARE, _CLOCK_REST = 0.5, 0.05
"""A column is read as a clock where more than half of the variance of its ranks lies between those
stretches and less than a twentieth within the median one. Measured: month and season 0 within, day
of the month .01 in stretches of 60 hours; temperature, in stretches of 15 days, .12."""

_ITERATIONS = 40

_SMALL_ROWS = 4000
_SMALL = {"max_leaf_nodes": 8, "max_bins": 64, "learning_rate": 0.2}
"""Below 4,000 rows of both windows small trees see as much as full ones for a third of the time:
two correlations of .6 among 20 features give an AUC of .60 either way, in .08 s against .27."""

_SEED = 20_130_101
"""Fixed: two runs on the same rows must give the same report."""

_MAX_CATEGORIES = 64
"""Levels that small trees have bins for; a column with more is replaced by its frequencies."""

_SHARED = "rows of one window stand in the other too, which may hide a difference"
"""A row seen with one label in training and the other in its fold drives the AUC below .5."""

_RANKED_ROWS = 2000

_LARGEST = 1e300
"""Values beyond are cut: the classifier takes the middle of two values, which must not overflow."""

_TAMED = 5.0
"""Robust standard deviations at which numbers are cut before a linear score is taken."""

_NAMED = 5
"""Features named in the report."""

_Floats = npt.NDArray[np.float64]


class _Classifier(Protocol):
    """A fitted classifier of two windows."""

    def decision_function(self, values: _Floats) -> _Floats:
        """Return (n,) float64, higher for rows that look like the current window."""


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve, its lower confidence bound, and p of H0 'it is .5'."""

    value: float
    lower: float
    p_value: float


@dataclass(frozen=True)
class _Rows:
    """The sampled rows of both windows: reference first, current after."""

    values: _Floats
    is_current: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    stretches: npt.NDArray[np.int64] | None
    """Of time, in each row's own window; None where no time is known."""
    names: tuple[str, ...]
    is_category: tuple[bool, ...]
    clocks: tuple[str, ...]
    """Columns left out because they tell the time."""
    places: npt.NDArray[np.int64]
    """Of the reference's sampled rows in its window."""


@dataclass(frozen=True)
class DensityRatio:
    """How much likelier rows of the reference are in the current window."""

    rows: npt.NDArray[np.int64]
    """Places in the reference, (k,)."""
    weights: _Floats
    """(k,) float64 > 0, with mean 1."""


def joint_drift(
    reference: Window,
    current: Window,
    features: Sequence[Feature],
    *,
    orders: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    alpha: float,
) -> JointDrift:
    """Train the classifier out of fold and judge its AUC.

    ``notice`` where the lower confidence bound of the AUC is above .55, ``drift`` above .65,
    ``unknown`` below 500 rows a window. One thread, rows in canonical order before they are sampled
    and dealt into folds: neither row order nor the number of cores changes the answer. With a time
    column, folds are stretches of time, and columns that tell the time (month, day) are left out.

    Args:
        reference: at most 5,000 rows of it are used.
        current: the same.
        features: what the classifier reads; instants, which separate any two windows, are left out.
        orders: each window's ``canonical_order``.
        alpha: one-sided level of the bound, in (0, 1).
    """
    sizes = [min(len(window), _MAX_ROWS) for window in (reference, current)]
    unknown = partial(JointDrift, level="unknown", n_reference=sizes[0], n_current=sizes[1])
    if min(sizes) < MIN_ROWS:
        return unknown(reason=f"{min(sizes)} rows in the smaller window, {MIN_ROWS} are needed")
    rows = _sampled(reference, current, features, orders)
    if not rows.names:
        return unknown(reason=_said(rows.clocks, "no feature varies"))
    with threadpool_limits(limits=1):
        models = [_fitted(rows, fold) for fold in range(_FOLDS)]
        scores = _scores(models, rows, rows.values)
        found = auc(rows.is_current, scores, alpha=alpha, groups=rows.stretches)
        is_found = found.lower > _NOTICE_AUC
        named = _separating(models, rows) if is_found else ()
    level = "drift" if found.lower > _DRIFT_AUC else "notice" if is_found else "none"
    return JointDrift(
        level=level,
        auc=found.value,
        auc_lower=found.lower,
        auc_threshold=_DRIFT_AUC,
        p_value=found.p_value,
        n_reference=sizes[0],
        n_current=sizes[1],
        features=named,
        reason=_said(rows.clocks, _SHARED if found.value < 1 - _NOTICE_AUC else None),
    )


def _said(clocks: Sequence[str], reason: str | None) -> str | None:
    """Add to a reason which columns were left out."""
    left_out = f"left out, for they tell the time: {', '.join(clocks)}" if clocks else None
    return "; ".join(part for part in (reason, left_out) if part) or None


def density_ratio(
    reference: Window,
    current: Window,
    features: Sequence[Feature],
    *,
    orders: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> DensityRatio | None:
    """Estimate the density ratio current / reference on rows of the reference.

    It is the odds of D3's classifier on rows that it did not see, after its scores were made
    probabilities by a logistic regression: the trees are sure of more than they know, and without
    a shift the odds shall be 1. None below 500 rows a window, or where no feature varies.

    Args:
        reference: at most 5,000 rows of it have a weight.
        current: at most 5,000 rows of it are compared with.
        features: as in ``joint_drift``.
        orders: each window's ``canonical_order``.
    """
    if min(len(reference), len(current)) < MIN_ROWS:
        return None
    rows = _sampled(reference, current, features, orders)
    if not rows.names:
        return None
    with threadpool_limits(limits=1):
        models = [_fitted(rows, fold) for fold in range(_FOLDS)]
        scores = np.column_stack([_scores(models, rows, rows.values), _linear_scores(rows)])
        odds = LogisticRegression().fit(scores, rows.is_current).decision_function(scores)
    weights = np.exp(odds[rows.is_current == 0])
    return DensityRatio(rows.places, weights / weights.mean())


def auc(
    is_current: npt.NDArray[np.int64],
    scores: _Floats,
    *,
    alpha: float,
    groups: npt.NDArray[np.int64] | None = None,
) -> Auc:
    """Return the area under the ROC curve with DeLong's lower bound.

    With groups the components are summed over them first, as of clusters (Obuchowski 1997), over
    one and over two groups, and the widest bound is returned: neighbours in time are no independent
    witnesses.

    Args:
        is_current: (n,) int64 of 0 and 1, both present.
        scores: (n,) float64; ties count one half.
        alpha: one-sided level of the bound, in (0, 1).
        groups: (n,) int64, each within one window; None where rows are independent.

    >>> auc(np.array([0, 0, 1, 1]), np.array([1.0, 3.0, 2.0, 4.0]), alpha=0.05).value
    0.75
    """
    positive = is_current == 1
    n, m = int((~positive).sum()), int(positive.sum())
    ranks = stats.rankdata(scores)
    above = (ranks[positive] - stats.rankdata(scores[positive])) / n
    below = 1 - (ranks[~positive] - stats.rankdata(scores[~positive])) / m
    value = float(above.mean())
    variance = float(above.var(ddof=1) / m + below.var(ddof=1) / n) if min(n, m) > 1 else 0.25
    if groups is not None:
        for joined in (groups, groups // 2):
            parts = mean_of(above, joined[positive]), mean_of(below, joined[~positive])
            variance = max(variance, sum((part.deviation or 0.0) ** 2 for part in parts))
    null_deviation = np.sqrt((n + m + 1) / (12 * n * m))
    return Auc(
        value,
        max(0.0, value - float(special.ndtri(1 - alpha)) * variance**0.5),
        float(special.ndtr(-(value - 0.5) / null_deviation)),
    )


def _sampled(
    reference: Window,
    current: Window,
    features: Sequence[Feature],
    orders: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> _Rows:
    random = np.random.default_rng(_SEED)
    windows, folds, places = [], [], []
    for window, order in zip((reference, current), orders, strict=True):
        size = min(len(window), _MAX_ROWS)
        positions = np.sort(random.choice(len(order), size=size, replace=False))
        places.append(order[positions])
        windows.append(window.take(places[-1]))
        folds.append(_folds(windows[-1], random))
    is_timed = windows[0].schema.time is not None
    columns, names, categories, clocks = [], [], [], []
    for feature in features:
        if feature.kind == "time":
            continue
        column, is_category = paired_column(windows[0], windows[1], feature)
        known = column[~np.isnan(column)]
        if not len(known) or (len(known) == len(column) and known.min() == known.max()):
            continue
        if _is_clock(column, windows):
            clocks.append(feature.name)
        else:
            columns.append(column)
            names.append(feature.name)
            categories.append(is_category)
    is_current = np.repeat([0, 1], [len(window) for window in windows])
    return _Rows(
        np.column_stack(columns) if columns else np.empty((len(is_current), 0)),
        is_current,
        np.concatenate(folds),
        np.concatenate([stretches(window) for window in windows]) if is_timed else None,
        tuple(names),
        tuple(categories),
        tuple(clocks),
        places[0],
    )


def _folds(window: Window, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Deal rows into folds: whole stretches of time, or one by one where no time is known.

    Neighbours in time resemble each other. Were they dealt apart, the classifier would know a row
    of Tuesday noon from Tuesday eleven, and call any two years different: Beijing's weather of 2010
    against 2011 got an AUC of .91, and gets .58.
    """
    size = len(window)
    if window.schema.time is None:
        return random.permutation(size) % _FOLDS
    return stretches(window) % _FOLDS


def _is_clock(column: _Floats, windows: Sequence[Window]) -> bool:
    """Return whether a column hardly varies within stretches of time, as a month or a day does.

    It would tell the classifier which stretch was held out, and of which window.
    """
    if windows[0].schema.time is None:
        return False
    parts = np.split(column, [len(windows[0])])
    pairs = zip(parts, windows, strict=True)
    return all(_stands_still(part, stretches(window)) for part, window in pairs)


def _stands_still(values: _Floats, stretches: npt.NDArray[np.int64]) -> bool:
    known = ~np.isnan(values)
    groups = stretches[known]
    counts = np.bincount(groups, minlength=STRETCHES)
    if not counts.all():
        return False
    ranks = stats.rankdata(values[known])
    means = np.bincount(groups, weights=ranks) / counts
    within = np.bincount(groups, weights=np.square(ranks - means[groups])) / counts
    variance = float(ranks.var())
    between = variance - float(np.average(within, weights=counts))
    return between > _CLOCK_SHARE * variance and float(np.median(within)) < _CLOCK_REST * variance


def paired_column(first: Window, second: Window, feature: Feature) -> tuple[_Floats, bool]:
    """Return both windows' values of a feature as a tree may read them, and whether they are codes.

    Args:
        first: its rows come first.
        second: with the same column.
        feature: a number, boolean, instant or category; of more than 64 levels in both windows
            together each is replaced by its frequency.

    Returns:
        (n + m,) float64, missing as NaN; codes count the levels from 0.
    """
    if feature.kind != "category":
        values = np.concatenate([window.numbers(feature.name) for window in (first, second)])
        values[np.isinf(values)] = np.nan  # a fault that gate G1 names
        return np.clip(values, -_LARGEST, _LARGEST), False
    parts = [window.levels(feature.name) for window in (first, second)]
    union = sorted({*parts[0][1], *parts[1][1]})
    place = {level: index for index, level in enumerate(union)}
    codes = np.concatenate(
        [np.array([*(place[level] for level in levels), -1])[part] for part, levels in parts]
    )
    if len(union) <= _MAX_CATEGORIES:
        return np.where(codes < 0, np.nan, codes), True
    # The pooled frequency carries no sign of the window, as the reference's own would.
    frequency = np.bincount(codes[codes >= 0], minlength=len(union))
    return np.where(codes < 0, np.nan, frequency[codes]), False


def _fitted(rows: _Rows, fold: int) -> _Classifier:
    kept = rows.folds != fold
    is_small = len(rows.values) < _SMALL_ROWS
    model = HistGradientBoostingClassifier(
        max_iter=_ITERATIONS,
        early_stopping=False,
        categorical_features=np.array(rows.is_category),
        random_state=_SEED,
        **(_SMALL if is_small else {}),
    )
    fitted: _Classifier = model.fit(rows.values[kept], rows.is_current[kept])
    return fitted


def _scores(models: list[_Classifier], rows: _Rows, values: _Floats) -> _Floats:
    """Return each row's score by the model that did not see it."""
    scores = np.empty(len(values))
    for fold, model in enumerate(models):
        held_out = rows.folds == fold
        scores[held_out] = model.decision_function(values[held_out])
    return scores


def _linear_scores(rows: _Rows) -> _Floats:
    """Return each row's score by a logistic regression on the numbers that did not see it.

    Trees smooth the steady change of a density ratio; a mean that moved is exactly linear.
    """
    numbers = rows.values[:, ~np.array(rows.is_category)]
    low, centre, high = np.nanquantile(numbers, [0.25, 0.5, 0.75], axis=0)
    apart = np.where(np.isnan(numbers), 0.0, numbers - centre)
    spread = np.where(high > low, (high - low) / 1.349, np.abs(apart).mean(axis=0))
    values = np.clip(apart / np.where(spread > 0, spread, 1.0), -_TAMED, _TAMED)
    scores = np.zeros(len(values))
    if not values.shape[1]:
        return scores
    for fold in range(_FOLDS):
        kept = rows.folds != fold
        model = LogisticRegression().fit(values[kept], rows.is_current[kept])
        scores[~kept] = model.decision_function(values[~kept])
    return scores


def _separating(models: list[_Classifier], rows: _Rows) -> tuple[str, ...]:
    """Return the features whose shuffling costs the most AUC, the strongest first."""
    random = np.random.default_rng(_SEED)
    rows = _thinned(rows)
    value = auc(rows.is_current, _scores(models, rows, rows.values), alpha=0.5).value
    costs, values = [], rows.values.copy()
    for column, name in enumerate(rows.names):
        values[:, column] = random.permutation(values[:, column])
        shuffled = auc(rows.is_current, _scores(models, rows, values), alpha=0.5).value
        costs.append((value - shuffled, name))
        values[:, column] = rows.values[:, column]
    least = (value - 0.5) / 20  # below a twentieth of what was found is noise
    strongest = sorted((-cost, name) for cost, name in costs if cost > least)
    return tuple(name for _, name in strongest[:_NAMED])


def _thinned(rows: _Rows) -> _Rows:
    """Keep every k-th row of both windows: a ranking of features needs no more than 2,000."""
    step = -(-len(rows.values) // _RANKED_ROWS)
    return replace(
        rows,
        values=rows.values[::step],
        stretches=None,
        is_current=rows.is_current[::step],
        folds=rows.folds[::step],
    )
