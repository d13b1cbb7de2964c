"""Is a JSON value what a feature asks for?"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from modelwarrant.windows import Feature, FeatureSchema

__all__ = ["Check", "RefusedError", "check_of", "example_row", "has_integer_levels"]

_EXAMPLE_TIME = "2024-01-01T00:00:00Z"


class RefusedError(Exception):
    """A value is not what its feature asks for; the message completes 'field ...: '."""


Check = Callable[[Any], Any]


def example_row(schema: FeatureSchema) -> dict[str, Any]:
    """Return a row that the schema allows, the same one each time."""
    return {feature.name: _example(feature) for feature in schema.features}


def _example(feature: Feature) -> Any:
    if feature.kind == "number":
        low, high = feature.range or (None, None)
        if low is not None and high is not None:
            return min(max(low / 2 + high / 2, low), high)
        return max(low, 0.0) if low is not None else min(high, 0.0) if high is not None else 0.0
    if feature.kind == "category":
        return feature.categories[0] if feature.categories else "a"
    return False if feature.kind == "boolean" else _EXAMPLE_TIME


def has_integer_levels(feature: Feature) -> bool:
    """Whether a category's declared levels are all whole numbers; then JSON numbers are read too.

    >>> has_integer_levels(Feature(name="month", kind="category", categories=("1", "12")))
    True
    >>> has_integer_levels(Feature(name="zip", kind="category", categories=("01", "12")))
    False
    """
    levels = feature.categories or ()
    return bool(levels) and all(_is_integer_text(level) for level in levels)


def _is_integer_text(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isdecimal() and digits.isascii() and (digits == "0" or digits[0] != "0")


def check_of(feature: Feature) -> Check:
    """Return the function that checks and converts one value of the feature."""
    check = {
        "number": _number_check,
        "category": _category_check,
        "boolean": _boolean_check,
        "time": _time_check,
    }[feature.kind](feature)
    if not feature.missing:

        def required(value: Any) -> Any:
            if value is None:
                raise RefusedError("may not be null")
            return check(value)

        return required
    return lambda value: None if value is None else check(value)


def _number_check(feature: Feature) -> Check:
    low, high = feature.range or (None, None)
    hint = "; write null for a missing value" if feature.missing else ""
    bounds = f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError("must be a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise RefusedError(f"must be a finite number{hint}")
        if (low is not None and number < low) or (high is not None and number > high):
            raise RefusedError(f"is outside its range {bounds}")
        return number

    return check


def _category_check(feature: Feature) -> Check:
    reads_integers = has_integer_levels(feature)
    wanted = "must be text or a whole number" if reads_integers else "must be text"

    def check(value: Any) -> str:
        if reads_integers and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise RefusedError(wanted)
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise RefusedError("must be text without lone surrogates") from error
        return value

    return check


def _boolean_check(feature: Feature) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise RefusedError("must be true or false")
        return value

    return check


def _time_check(feature: Feature) -> Check:
    def check(value: Any) -> datetime:
        if not isinstance(value, str):
            raise RefusedError("must be an ISO 8601 time as text")
        try:
            instant = datetime.fromisoformat(value)
        except ValueError as error:
            raise RefusedError("must be an ISO 8601 time as text") from error
        if instant.tzinfo is None:
            return instant.replace(tzinfo=UTC)
        try:
            return instant.astimezone(UTC)
        except OverflowError as error:
            raise RefusedError("is outside the years 1 to 9999") from error

    return check
