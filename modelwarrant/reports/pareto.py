"""Which rules are beaten by no other in two figures at once, and how is that drawn?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from modelwarrant.reports.plots import Scale, drawn, line, text

__all__ = ["Spot", "front_of", "front_plot"]

_HEIGHT: Final = 340
_LEFT, _WIDTH = 9.0, 86.0
"""Percent of the width; what stands left of it are the labels of the axis."""
_TOP, _BOTTOM = 22.0, _HEIGHT - 42.0
_LETTER: Final = 14.0
"""Pixels that a label needs in height."""
_NEAR: Final = 24.0
"""Percent of the width within which two labels could touch."""


@dataclass(frozen=True)
class Spot:
    """One rule in the picture; lower is better both ways."""

    name: str
    across: float
    up: float
    is_ours: bool


def front_of(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return the spots that no other beats in one figure without losing in the other.

    >>> a, b, c = Spot("a", 1, 5, True), Spot("b", 2, 2, False), Spot("c", 3, 2, False)
    >>> [spot.name for spot in front_of([a, b, c])]
    ['a', 'b']
    """
    front = [
        spot
        for spot in spots
        if not any(
            other.across <= spot.across
            and other.up <= spot.up
            and (other.across, other.up) != (spot.across, spot.up)
            for other in spots
        )
    ]
    return tuple(sorted(front, key=lambda spot: (spot.across, spot.up, spot.name)))


def front_plot(spots: Sequence[Spot], *, across: str, up: str) -> Markup:
    """Return every rule as a dot, the front joined by a line, names where there is room.

    Args:
        spots: at least one.
        across: name of the horizontal figure.
        up: name of the vertical figure.
    """
    sides = Scale(*_reach([spot.across for spot in spots]))
    heights = Scale(*_reach([spot.up for spot in spots]))

    def place(spot: Spot) -> tuple[float, float]:
        x = _LEFT + _WIDTH * sides.at(spot.across)
        return x, _BOTTOM - (_BOTTOM - _TOP) * heights.at(spot.up)

    body = [line(_LEFT, _BOTTOM, _LEFT + _WIDTH, _BOTTOM, "axis")]
    for tick in heights.ticks:
        y = _BOTTOM - (_BOTTOM - _TOP) * heights.at(tick)
        body += [
            line(_LEFT, y, _LEFT + _WIDTH, y, "grid"),
            text(_LEFT - 1, y + 4, heights.label(tick), anchor="end"),
        ]
    for tick in sides.ticks:
        x = _LEFT + _WIDTH * sides.at(tick)
        body.append(text(x, _BOTTOM + 15, sides.label(tick)))
    body.append(text(_LEFT + _WIDTH, _HEIGHT - 8, f"{across} →", classes="sense", anchor="end"))
    body.append(text(0, 10, f"↑ {up}", classes="sense", anchor="start"))
    front = front_of(spots)
    places = [place(spot) for spot in front]
    body += [line(*a, *b, "baseline-line") for a, b in pairwise(places)]
    ordered = sorted(spots, key=lambda spot: (not spot.is_ours, spot not in front, spot.name))
    labels: list[tuple[float, float]] = []
    for spot in ordered:
        x, y = place(spot)
        body.append(_dot(spot, x, y))
        label = _free(labels, x, y)
        if label is not None:
            labels.append((x, label))
            side = "end" if x > 75 else "start"
            shift = -1.2 if side == "end" else 1.2
            body.append(text(x + shift, label + 4, spot.name, anchor=side))
    names = ", ".join(spot.name for spot in front)
    return drawn(_HEIGHT, f"Beaten by no other rule: {names}", body, classes="scatter")


def _reach(values: Sequence[float]) -> tuple[float, float]:
    top = max(values, default=0.0) or 1.0
    return min(0.0, *values), 1.05 * top


def _free(labels: Sequence[tuple[float, float]], x: float, y: float) -> float | None:
    """Return where a label next to a dot touches no other; None where there is no room near."""
    for shift in (0.0, -_LETTER, _LETTER, -2 * _LETTER, 2 * _LETTER):
        wanted = y + shift
        if not _TOP - _LETTER <= wanted <= _BOTTOM:
            continue
        if all(abs(wanted - at) >= _LETTER or abs(x - side) > _NEAR for side, at in labels):
            return wanted
    return None


def _dot(spot: Spot, x: float, y: float) -> str:
    """Return a disc for modelwarrant and an open square for every other rule."""
    if spot.is_ours:
        return f'<circle class="candidate-dot" cx="{x:.4g}%" cy="{y:.4g}" r="5"/>'
    return (
        f'<rect class="baseline-dot" x="{x:.4g}%" y="{y - 4:.4g}" width="8" height="8" '
        'transform="translate(-4 0)"/>'
    )
