"""Is what the service answers to a made-up request right, and does a refusal keep its values?

Schemathesis loads this file in an environment of its own (``ci.fuzz``): it may import nothing of
ours. The models answer distance / 8 + 1, or a number that hangs on nothing.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import schemathesis

IS_CONSTANT = os.environ.get("FUZZ_MODEL") == "constant"
SHORTEST = 8
"""Characters of a value from which on finding it in an answer is no chance."""


@schemathesis.check
def predictions_are_right(ctx: Any, response: Any, case: Any) -> None:
    """Compute again what was answered with 200."""
    if response.status_code != 200 or case.method.upper() != "POST" or IS_CONSTANT:
        return
    asked, said = json.loads(response.request.body), response.json()
    if "inputs" in asked:
        [tensor] = [one for one in asked["inputs"] if one["name"] == "distance"]
        distances = _flat(tensor["data"])
        found = [one["data"] for one in said["outputs"] if one["name"] == "prediction"]
        predictions = found[0] if found else None
    else:
        distances = [row["distance"] for row in asked.get("rows", [asked])]
        predictions = [row["prediction"] for row in said.get("predictions", [said])]
    if predictions != [distance / 8 + 1 for distance in distances]:
        raise AssertionError(f"{predictions} for the distances {distances}")


@schemathesis.check
def refusals_repeat_no_value(ctx: Any, response: Any, case: Any) -> None:
    """Look for each value of the request in the answer; names may be repeated."""
    if response.status_code < 400 or not response.request.body:
        return
    try:
        document = json.loads(response.request.body)
    except (ValueError, UnicodeDecodeError, RecursionError):
        return
    names = set(_names(document))
    for value in _values(document):
        text = value if isinstance(value, str) else json.dumps(value)
        if len(text) >= SHORTEST and text in response.text and not any(text in n for n in names):
            raise AssertionError(f"the answer repeats the value {text[:100]!r}")


def _flat(data: Any) -> list[Any]:
    return [one for each in data for one in (each if isinstance(each, list) else [each])]


def _values(document: Any) -> Iterator[Any]:
    """Yield what is neither a member's name nor the name of a tensor."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name != "name":
                yield from _values(value)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value)
    elif document is not None and not isinstance(document, bool):
        yield document


def _names(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            if name == "name" and isinstance(value, str):
                yield value
            yield from _names(value)
    elif isinstance(document, list):
        for value in document:
            yield from _names(value)
