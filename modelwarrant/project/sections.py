"""How is each section of a project file read, and what is wrong with it?

Each function returns the section's value, or None after it has noted the problem.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, cast

import yaml
from pydantic import ValidationError

from modelwarrant.errors import WindowError
from modelwarrant.project.document import Document, Label, is_null
from modelwarrant.project.periods import parse_period
from modelwarrant.records import Prices, Recipe
from modelwarrant.windows import ORDER, Bounds, Feature, Kind, Task, parse_bounds

__all__ = ["DEFAULT_FINAL", "METRICS", "RECIPES", "Labels", "Windows"]

RECIPES: Final = ("hist_gradient_boosting", "random_forest", "linear")
"""The built-in recipes; ``package.module:Estimator`` names a scikit-learn estimator."""
METRICS: Final[dict[Task, tuple[str, ...]]] = {
    "classification": ("log_loss", "brier", "error_rate"),
    "regression": ("squared_error", "absolute_error"),
}
"""What a decision can be about; the first is the default. The names of ``evaluation``, repeated
here because importing that costs 0.4 s."""
DEFAULT_FINAL: Final = 0.3
"""Share of the newest labelled rows that judge: enough for an interval, and most rows train."""

_WINDOW_KEYS: Final = ("reference", "current", "final", "train", "season")
_FEATURE_KEYS: Final = ("kind", "range", "categories", "missing")
_RECIPE_KEYS: Final = ("model", "seed", "parameters")
_COST_KEYS: Final = tuple(Prices.model_fields)
_KINDS: Final[tuple[Kind, ...]] = ("number", "category", "boolean", "time")
_MODEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)
_ESTIMATOR: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_MAX_SEED: Final = 2**32 - 1


@dataclass(frozen=True)
class Windows:
    """Which rows are compared, trained on and judged by."""

    reference: Bounds
    """For the first model; later the production model's own current window is the reference."""
    current: Bounds
    final: float = DEFAULT_FINAL
    """Share of the newest labelled rows that only evaluation may read, in (0, 1)."""
    train: Literal["current", "both"] | Bounds = "both"
    """``current``, ``both`` (its training rows and the reference's), or a window of its own."""
    season: timedelta | None = None
    """The period after which the data repeats itself."""


@dataclass(frozen=True)
class Labels:
    """The classes of a classification, as far as the file names them."""

    classes: tuple[str, ...] | None = None
    kind: Literal["text", "integer", "boolean"] = "text"
    positive: str | None = None


def read_model(document: Document, node: yaml.Node) -> str | None:
    """Read a model's name: it becomes a key of the store and a label in Kubernetes."""
    text = document.text(node, "model")
    if text is not None and not _MODEL.fullmatch(text):
        document.problem(
            node,
            f"model {text!r}: at most 63 letters, digits, '.', '_' and '-', a letter or digit at "
            "both ends",
        )
        return None
    return text


def read_features(document: Document, node: yaml.Node) -> tuple[Feature, ...] | None:
    """Read the features, in the order of the file."""
    found = document.mapping(node, "features")
    features = [read_feature(document, name, value) for name, value in found.items()]
    if isinstance(node, yaml.MappingNode) and not node.value:
        document.problem(node, "features is empty; a model needs at least one")
    return tuple(feature for feature in features if feature is not None) or None


def read_feature(document: Document, name: str, node: yaml.Node) -> Feature | None:
    """Read one feature."""
    what = f"feature {name!r}"
    fields = document.mapping(node, what, known=_FEATURE_KEYS)
    if isinstance(node, yaml.MappingNode) and "kind" not in fields:
        document.problem(node, f"{what} has no kind; it is one of {', '.join(_KINDS)}")
    if "kind" not in fields:
        return None
    if name in ("", ORDER):
        document.problem(node, f"{what}: the name is reserved; rename that column")
        return None
    kind = document.choice(fields["kind"], f"{what}: kind", _KINDS)
    limits = _range(document, fields["range"], what) if "range" in fields else None
    levels = _categories(document, fields["categories"], what) if "categories" in fields else None
    missing = document.flag(fields["missing"], f"{what}: missing") if "missing" in fields else False
    if kind is None or missing is None:
        return None
    try:
        return Feature(
            name=name,
            kind=cast(Kind, kind),
            range=limits,
            categories=levels,
            missing=missing,
        )
    except ValidationError as error:
        document.problem(node, first_message(error))
        return None


def read_labels(document: Document, fields: dict[str, yaml.Node], task: str | None) -> Labels:
    """Read ``classes`` and ``positive``."""
    for key in ("classes", "positive"):
        if task == "regression" and key in fields:
            document.problem(fields[key], f"{key} is for classification; the task is regression")
            return Labels()
    classes = _classes(document, fields["classes"]) if "classes" in fields else None
    positive = document.label(fields["positive"], "positive") if "positive" in fields else None
    if positive is not None and classes:
        node, texts = fields["positive"], [label.text for label in classes]
        if len(texts) != 2:
            document.problem(node, f"positive is for two classes; there are {len(texts)}")
        elif positive.text not in texts:
            document.problem(node, f"positive {positive.text!r} is not one of {', '.join(texts)}")
    seen = classes or ([positive] if positive is not None else [])
    kinds = {label.kind for label in seen}
    return Labels(
        tuple(label.text for label in classes) if classes else None,
        kinds.pop() if len(kinds) == 1 else "text",
        None if positive is None else positive.text,
    )


def read_target(document: Document, node: yaml.Node, features: Sequence[Feature]) -> str | None:
    """Read the target, which no feature may be."""
    text = document.text(node, "target")
    if text == ORDER:
        document.problem(node, f"target {text!r}: the name is reserved; rename that column")
    if text is not None and text in [feature.name for feature in features]:
        document.problem(node, f"the target {text!r} is also declared as a feature; remove that")
    return text


def read_windows(document: Document, node: yaml.Node) -> Windows | None:
    """Read the windows, which must not overlap."""
    fields = document.mapping(node, "windows", known=_WINDOW_KEYS)
    if not isinstance(node, yaml.MappingNode):
        return None
    for key in ("reference", "current"):
        if key not in fields:
            document.problem(node, f"windows: the key {key!r} is missing")
    bounds = {
        key: _bounds(document, fields[key], f"windows: {key}")
        for key in ("reference", "current")
        if key in fields
    }
    final = DEFAULT_FINAL
    if "final" in fields:
        final = _share(document, fields["final"]) or DEFAULT_FINAL
    train = _train(document, fields["train"]) if "train" in fields else "both"
    season = None
    if "season" in fields:
        season = read_period(document, fields["season"], "windows: season")
    reference, current = bounds.get("reference"), bounds.get("current")
    if reference is None or current is None or train is None:
        return None
    if _overlap(reference, current):
        document.problem(
            fields["current"], f"windows: current {current} overlaps reference {reference}"
        )
    return Windows(reference, current, final, train, season)


def read_recipe(document: Document, node: yaml.Node) -> Recipe | None:
    """Read how a model is fitted."""
    fields = document.mapping(node, "recipe", known=_RECIPE_KEYS)
    if not isinstance(node, yaml.MappingNode):
        return None
    if "model" not in fields:
        document.problem(node, f"recipe has no model; it is one of {', '.join(RECIPES)}")
        return None
    model = document.text(fields["model"], "recipe: model")
    if model is not None and not _ESTIMATOR.fullmatch(model):
        own = "package.module:Estimator"
        model = document.choice(fields["model"], "recipe: model", (*RECIPES, own))
    seed = document.whole(fields["seed"], "recipe: seed") if "seed" in fields else 0
    if seed is not None and not 0 <= seed <= _MAX_SEED:
        document.problem(fields["seed"], f"recipe: seed must lie between 0 and {_MAX_SEED}")
    parameters = {}
    if "parameters" in fields:
        pairs = document.mapping(fields["parameters"], "recipe: parameters")
        parameters = {k: document.json(v, f"recipe: parameters.{k}") for k, v in pairs.items()}
    if model is None or seed is None:
        return None
    return Recipe(model=model, seed=seed, parameters=parameters)


def read_costs(document: Document, node: yaml.Node) -> Prices | None:
    """Read what acts and errors cost; what is not named keeps its default."""
    fields = document.mapping(node, "costs", known=_COST_KEYS)
    found: dict[str, float] = {}
    for key, value in fields.items():
        price = document.number(value, f"costs: {key}")
        if price is None:
            return None
        if price < 0 or (key == "error" and price == 0):
            document.problem(value, f"costs: {key} is {price:g}; a price is positive")
            return None
        found[key] = price
    return Prices(**found)


def read_metric(document: Document, node: yaml.Node, task: Task | None) -> str | None:
    """Read the metric the decision is about; without a task any that exists."""
    known = (
        METRICS[task] if task is not None else tuple(m for some in METRICS.values() for m in some)
    )
    return document.choice(node, "metric", known)


def read_slices(
    document: Document, node: yaml.Node, features: Sequence[Feature]
) -> tuple[str, ...] | None:
    """Read the columns within which the models are compared, too."""
    names = [feature.name for feature in features]
    found: list[str] = []
    for item in document.items(node, "slices"):
        text = document.text(item, "slices: a column")
        if text is None:
            continue
        if text in found:
            document.problem(item, f"slices: {text!r} stands twice")
        elif names and text not in names:
            near = get_close_matches(text, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            document.problem(item, f"slices: {text!r} is no feature{hint}")
        found.append(text)
    return tuple(found)


def read_policy(document: Document, node: yaml.Node, base: Path) -> Path | None:
    """Read where the policy lies; it must be there."""
    text = document.text(node, "policy")
    if text is None:
        return None
    if not (base / text).is_file():
        document.problem(node, f"policy {text!r}: no such file beside the project file")
        return None
    return base / text


def read_date(document: Document, node: yaml.Node, what: str) -> date | None:
    """Read a day, ISO 8601."""
    text = document.text(node, what)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        document.problem(node, f"{what} is {text!r}; write a day such as 2027-01-31")
        return None


def read_period(document: Document, node: yaml.Node, what: str) -> timedelta | None:
    """Read a period such as ``30d``."""
    text = document.text(node, what)
    try:
        return None if text is None else parse_period(text)
    except ValueError as error:
        document.problem(node, f"{what}: {error}")
        return None


def first_message(error: ValidationError) -> str:
    """Return what pydantic's first complaint says, without its preamble."""
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")


def _range(
    document: Document, node: yaml.Node, what: str
) -> tuple[float | None, float | None] | None:
    bounds = [
        None if is_null(item) else document.number(item, f"{what}: range")
        for item in document.items(node, f"{what}: range")
    ]
    if len(bounds) == 2:
        return bounds[0], bounds[1]
    if isinstance(node, yaml.SequenceNode):
        document.problem(node, f"{what}: range is [lowest, highest], null for none")
    return None


def _categories(document: Document, node: yaml.Node, what: str) -> tuple[str, ...] | None:
    labels = [
        document.label(item, f"{what}: a category")
        for item in document.items(node, f"{what}: categories")
    ]
    texts = [label.text for label in labels if label is not None]
    if doubled := sorted({text for text in texts if texts.count(text) > 1}):
        document.problem(node, f"{what}: the category {doubled[0]!r} stands twice")
    return tuple(texts) or None


def _classes(document: Document, node: yaml.Node) -> list[Label]:
    labels = [document.label(item, "classes: a class") for item in document.items(node, "classes")]
    found = [label for label in labels if label is not None]
    texts = [label.text for label in found]
    if isinstance(node, yaml.SequenceNode) and len(set(texts)) < 2:
        document.problem(node, "classes needs at least two different labels")
    elif doubled := sorted({text for text in texts if texts.count(text) > 1}):
        document.problem(node, f"classes: the label {doubled[0]!r} stands twice")
    return found


def _bounds(document: Document, node: yaml.Node, what: str) -> Bounds | None:
    text = document.text(node, what)
    try:
        return None if text is None else parse_bounds(text)
    except WindowError as error:
        document.problem(node, f"{what}: {error}")
        return None


def _train(document: Document, node: yaml.Node) -> Literal["current", "both"] | Bounds | None:
    text = document.text(node, "windows: train")
    if text == "current":
        return "current"
    if text == "both":
        return "both"
    try:
        return None if text is None else parse_bounds(text)
    except WindowError as error:
        document.problem(node, f"windows: train is current, both or a window: {error}")
        return None


def _share(document: Document, node: yaml.Node) -> float | None:
    share = document.number(node, "windows: final")
    if share is not None and not 0 < share < 1:
        document.problem(node, f"windows: final is {share:g}; a share lies between 0 and 1")
        return None
    return share


def _overlap(one: Bounds, other: Bounds) -> bool:
    """Return whether two windows of the same unit certainly share rows' places."""
    if one.unit != other.unit or one.unit == "last":
        return False
    first, last = float("-inf"), float("inf")
    starts = [first if bounds.start is None else bounds.start for bounds in (one, other)]
    ends = [last if bounds.end is None else bounds.end for bounds in (one, other)]
    return max(starts) < min(ends)
