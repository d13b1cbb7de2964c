"""Which columns does a model read, of which kind, and what may they hold?"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from modelwarrant.canonical import digest_json

__all__ = ["Feature", "FeatureSchema", "Kind", "Task", "label_text"]

Kind = Literal["number", "category", "boolean", "time"]
"""What a feature is: float64, text level, true/false, or a UTC instant."""

Task = Literal["classification", "regression"]
"""What a model predicts: one of at least two classes, or a finite float64."""

ClassKind = Literal["text", "integer", "boolean"]
"""What the labels were in the source; predictions are given back in that type."""


class Feature(BaseModel):
    """One input column of a model.

    ``categories`` are the levels known when the schema was made: another level is not a broken
    contract but drift (gate G4), and every model answers for it as for a rare level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    kind: Kind
    range: tuple[float | None, float | None] | None = None
    """Closed bounds of a number, None for no bound; values outside break the contract."""
    categories: tuple[str, ...] | None = None
    missing: bool = False
    """Whether missing values are allowed."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.range is not None and self.kind != "number":
            raise ValueError(f"feature {self.name!r}: only a number has a range")
        if self.categories is not None and self.kind != "category":
            raise ValueError(f"feature {self.name!r}: only a category has categories")
        low, high = self.range or (None, None)
        if low is not None and high is not None and low > high:
            raise ValueError(f"feature {self.name!r}: range [{low}, {high}] is empty")
        return self


class FeatureSchema(BaseModel):
    """The typed columns of a window: features in model order, target and time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[Feature, ...] = Field(min_length=1)
    task: Task | None = None
    """None for a window that only drift looks at."""
    target: str | None = None
    classes: tuple[str, ...] | None = None
    """Labels as text, in the order of the model's scores; at least two for classification."""
    class_kind: ClassKind = "text"
    positive: str | None = None
    """Binary classification: the label whose probability is the score."""
    time: str | None = None
    """Column along which windows are cut; None means the order of the rows."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [feature.name for feature in self.features]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"feature {doubled[0]!r} is declared twice")
        if self.target is not None and self.target in names:
            raise ValueError(f"the target {self.target!r} is also declared as a feature")
        if self.task == "classification" and self.classes is not None:
            if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
                raise ValueError(f"the target {self.target!r} needs at least two distinct classes")
            if self.positive is not None and self.positive not in self.classes:
                raise ValueError(f"positive {self.positive!r} is not one of {list(self.classes)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in model order."""
        return tuple(feature.name for feature in self.features)

    def feature(self, name: str) -> Feature:
        """Return the feature of that name.

        Raises:
            KeyError: no such feature.
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        raise KeyError(name)

    @property
    def digest(self) -> str:
        """Digest of the schema's canonical JSON."""
        return digest_json(self.model_dump(mode="json"))


def label_text(value: object) -> str:
    """Return the one text form of a label or level, whatever type a reader gave it.

    >>> label_text(1), label_text(1.0), label_text(True), label_text("one")
    ('1', '1', 'true', 'one')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
