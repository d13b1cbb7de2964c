"""What does a project file declare?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar, cast

import yaml
from pydantic import ValidationError

from modelwarrant.errors import ProjectError
from modelwarrant.project import sections
from modelwarrant.project.document import Document, parse_document
from modelwarrant.project.sections import METRICS, RECIPES, Windows
from modelwarrant.records import Prices, Recipe
from modelwarrant.windows import Bounds, Feature, FeatureSchema, Task

__all__ = ["DEFAULT_FILE", "Project", "load", "parse_project"]

DEFAULT_FILE: Final = "warrant.yaml"

_KEYS: Final = (
    *("model", "task", "source", "target", "classes", "positive", "time", "features", "windows"),
    *("recipe", "metric", "slices", "policy"),
    *("owner", "purpose", "review_by", "monitor_every", "label_delay", "costs"),
)
_REQUIRED: Final = ("model", "task", "source", "target", "features", "windows")

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Project:
    """Everything a project file says, defaults filled in."""

    path: Path
    model: str
    task: Task
    source: str
    target: str
    features: tuple[Feature, ...]
    windows: Windows
    recipe: Recipe
    metric: str
    """What the decision is about; a loss, lower is better."""
    classes: tuple[str, ...] | None = None
    """Labels as text in the order of the scores; None where the file lists none."""
    class_kind: Literal["text", "integer", "boolean"] = "text"
    positive: str | None = None
    """Two classes: the label whose probability is the score."""
    time: str | None = None
    """Column along which windows are cut; None means the order of the rows."""
    slices: tuple[str, ...] = ()
    policy: Path | None = None
    """None stands for the shipped policy."""
    owner: str | None = None
    purpose: str | None = None
    review_by: date | None = None
    """Day after which a promotion needs a person."""
    monitor_every: timedelta | None = None
    """Longest time between two monitoring passes."""
    label_delay: timedelta | None = None
    """How long a label takes to arrive."""
    costs: Prices = field(default_factory=Prices)
    """What acts and errors cost; a backtest weighs trainings with it."""

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.absolute().parent

    def schema(self, *, classes: Sequence[str] | None = None) -> FeatureSchema:
        """Return the typed columns.

        Args:
            classes: the labels in the order of the scores, where the file lists none: those of the
                model in production, else what ``sources.find_classes`` finds.

        Raises:
            ProjectError: a classification without classes, or with a positive that is none.
        """
        labels = self.classes
        if labels is None and classes is not None:
            labels = tuple(classes)
        if self.task == "classification" and labels is None:
            raise ProjectError(
                f"{self.path.name}: the classes of {self.target!r} are unknown; "
                "list them: classes: [a, b]"
            )
        try:
            return FeatureSchema(
                features=self.features,
                task=self.task,
                target=self.target,
                classes=labels,
                class_kind=self.class_kind,
                positive=self.positive,
                time=self.time,
            )
        except ValidationError as error:
            raise ProjectError(f"{self.path.name}: {sections.first_message(error)}") from error


def load(path: Path) -> Project:
    """Read a project file.

    Raises:
        ProjectError: absent, not YAML, or wrong somewhere; every problem is named at once by file
            and line, an unknown key with the nearest valid one.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ProjectError(
            f"{path}: no such file; `warrant init DATA --target COLUMN` writes one"
        ) from error
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_project(data, path=path)


def parse_project(data: bytes, *, path: Path) -> Project:
    """Read a project file's bytes.

    Args:
        data: UTF-8 YAML.
        path: where they lie, for messages and relative paths.

    Raises:
        ProjectError: see ``load``.
    """
    document = parse_document(data, name=path.name)
    fields = document.mapping(document.root, "the project", known=_KEYS)
    for key in _REQUIRED:
        if key not in fields and isinstance(document.root, yaml.MappingNode):
            document.problem(document.root, f"the key {key!r} is missing")

    def read(key: str, reader: Callable[[Document, yaml.Node], _Value | None]) -> _Value | None:
        return reader(document, fields[key]) if key in fields else None

    def text(key: str) -> str | None:
        return read(key, lambda document, node: document.text(node, key))

    def period(key: str) -> timedelta | None:
        return read(key, lambda document, node: sections.read_period(document, node, key))

    named = read("task", lambda document, node: document.choice(node, "task", tuple(METRICS)))
    task = cast(Task | None, named)
    features = read("features", sections.read_features) or ()
    labels = sections.read_labels(document, fields, task)
    windows = read("windows", sections.read_windows)
    metric = read("metric", lambda d, node: sections.read_metric(d, node, task))
    project = Project(
        path=path,
        model=read("model", sections.read_model) or "",
        task=task or "classification",
        source=text("source") or "",
        target=read("target", lambda d, node: sections.read_target(d, node, features)) or "",
        features=features,
        windows=windows or Windows(Bounds("rows"), Bounds("rows")),
        recipe=read("recipe", sections.read_recipe) or Recipe(model=RECIPES[0]),
        metric=metric or METRICS[task or "classification"][0],
        classes=labels.classes,
        class_kind=labels.kind,
        positive=labels.positive,
        time=text("time"),
        slices=read("slices", lambda d, node: sections.read_slices(d, node, features)) or (),
        policy=read("policy", lambda d, node: sections.read_policy(d, node, path.parent)),
        owner=text("owner"),
        purpose=text("purpose"),
        review_by=read("review_by", lambda d, node: sections.read_date(d, node, "review_by")),
        monitor_every=period("monitor_every"),
        label_delay=period("label_delay"),
        costs=read("costs", sections.read_costs) or Prices(),
    )
    _check_time(document, fields, project)
    document.finish()
    return project


def _check_time(document: Document, fields: dict[str, yaml.Node], project: Project) -> None:
    """Note windows in time without a time column, and a target that is the time."""
    if project.time is not None and project.time == project.target:
        document.problem(fields["time"], f"time {project.time!r} is the target, too")
    if project.time is not None or "windows" not in fields:
        return
    windows = project.windows
    for bounds in (windows.reference, windows.current, windows.train):
        if isinstance(bounds, Bounds) and bounds.unit != "rows":
            document.problem(
                fields["windows"],
                f"the window '{bounds}' is cut along time, but there is no time column; "
                "add 'time: COLUMN' or cut by rows (a:b)",
            )
            return
