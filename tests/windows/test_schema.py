"""A schema that contradicts itself is refused, and labels have one text form."""

import numpy as np
import pytest
from pydantic import ValidationError

from modelwarrant.windows import Feature, FeatureSchema, Predictions, label_text

NUMBER = Feature(name="x", kind="number")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "category", "range": (0, 1)}, "only a number has a range"),
        ({"kind": "number", "categories": ("a",)}, "only a category has categories"),
        ({"kind": "number", "range": (2, 1)}, r"range \[2.0, 1.0\] is empty"),
        ({"kind": "colour"}, "kind"),
        ({"kind": "number", "unit": "m"}, "unit"),
    ],
)
def test_a_feature_that_contradicts_itself_is_refused(
    fields: dict[str, object], message: str
) -> None:
    """The error names the feature or the field."""
    with pytest.raises(ValidationError, match=message):
        Feature.model_validate({"name": "x", **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"features": ()}, "features"),
        ({"features": (NUMBER, NUMBER)}, "'x' is declared twice"),
        ({"features": (NUMBER,), "target": "x"}, "'x' is also declared as a feature"),
        (
            {"features": (NUMBER,), "task": "classification", "target": "y", "classes": ("a",)},
            "at least two distinct classes",
        ),
        (
            {
                "features": (NUMBER,),
                "task": "classification",
                "target": "y",
                "classes": ("a", "b"),
                "positive": "c",
            },
            "positive 'c' is not one of",
        ),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(
    fields: dict[str, object], message: str
) -> None:
    """The error names the column."""
    with pytest.raises(ValidationError, match=message):
        FeatureSchema.model_validate(fields)


def test_a_schema_digest_covers_the_order_of_features() -> None:
    """Models read features by position, so another order is another schema."""
    other = Feature(name="y", kind="number")
    one = FeatureSchema(features=(NUMBER, other))
    swapped = FeatureSchema(features=(other, NUMBER))

    assert one.digest != swapped.digest


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (True, "true"),
        (np.True_, "true"),
        (np.float64(2), "2"),
        (np.int64(2), "2"),
        ("1.0", "1.0"),
        (1e300, str(int(1e300))),
    ],
)
def test_a_label_has_one_text_form(value: object, expected: str) -> None:
    """Integers, whole floats and booleans read the same from any reader."""
    assert expected == label_text(value)


def test_the_first_of_tied_classes_is_predicted() -> None:
    """Codes follow the order of the classes."""
    answers = Predictions("classification", np.array([[0.5, 0.5], [0.2, 0.8]]), ("a", "b"))

    assert [0, 1] == answers.codes.tolist()
    assert [1] == answers.take(np.array([1])).codes.tolist()
