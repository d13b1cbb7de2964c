"""Which predictions should be labelled, so that few labels settle much?

Proportional strata by the model's answer: rare answers are in the sample, and its mean is that of
the window. Within a stratum rows are taken in the order of a digest of their names, so that two
passes over the same window ask for the same rows, and a longer list begins with the shorter one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.records import Stratum

__all__ = ["Asked", "sample_rows"]

STRATA = 5
"""Fifths of the answers."""


@dataclass(frozen=True)
class Asked:
    """Rows to label, and how they spread."""

    rows: npt.NDArray[np.int64]
    """Places among the candidates, the most wanted first within each stratum."""
    names: tuple[str, ...]
    """Stratum of each."""
    strata: tuple[Stratum, ...]


def sample_rows(
    scores: npt.NDArray[np.float64], keys: Sequence[tuple[str, int]], *, size: int
) -> Asked:
    """Choose rows to label.

    Args:
        scores: (n,) float64, what the model answered: a probability or a number.
        keys: request id and row of each, all different.
        size: rows wanted; all where there are fewer.

    >>> asked = sample_rows(np.arange(10.0), [(f"r{n}", 0) for n in range(10)], size=5)
    >>> [(each.rows, each.asked) for each in asked.strata]
    [(2, 1), (2, 1), (2, 1), (2, 1), (2, 1)]
    """
    order = np.lexsort((np.array([_place(*key) for key in keys], dtype=np.uint64), scores))
    fifths = [part for part in np.array_split(order, STRATA) if len(part)]
    quota = _shares([len(part) for part in fifths], min(size, len(keys)))
    rows, names, strata = [], [], []
    for part, asked in zip(fifths, quota, strict=True):
        low, high = float(scores[part[0]]), float(scores[part[-1]])
        name = f"answer {low:.4g} to {high:.4g}"
        by_name = sorted(part.tolist(), key=lambda row: (_place(*keys[row]), keys[row]))
        rows += by_name[:asked]
        names += [name] * asked
        strata.append(Stratum(name=name, rows=len(part), asked=asked))
    return Asked(np.array(rows, dtype=np.int64), tuple(names), tuple(strata))


def _shares(sizes: Sequence[int], wanted: int) -> list[int]:
    """Split a number in proportion, largest remainders first."""
    total = sum(sizes)
    exact = [wanted * size / total for size in sizes]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda i: (shares[i] - exact[i], i))
    for index in by_remainder[: wanted - sum(shares)]:
        shares[index] += 1
    return shares


def _place(request_id: str, row: int) -> int:
    name = f"{request_id}\x1f{row}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
