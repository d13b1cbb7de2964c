"""How would another version have answered the requests that were answered?

Beside production one other version is loaded: for a while after a promotion the one before it (the
watch window), else the newest candidate that waits for a person. It scores a sample of the same
rows, in the background, for a small share of one core; what it cannot score in that is dropped and
counted. Its answers are never sent and never logged; only what they add up to is told, and kept for
the people who decide.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import UNSEEN
from modelwarrant.errors import BundleError
from modelwarrant.windows import FeatureSchema
from serving.rows import Rows
from serving.served import Served
from serving.shadow_log import ShadowLog
from serving.slices import SLICE_S, step_behind

__all__ = ["Beside", "Comparison", "Role", "Shadow", "recode"]

Role = Literal["previous", "candidate"]
"""Why a version stands beside production."""

_PERIOD_S = 0.025
"""Seconds between two slices; with slices of 1 ms that is a twenty-fifth of a core."""

_IDLE_S = 0.5
"""The same while nothing is compared: each time this thread wakes, the event loop waits for it."""

_TELL_S = 30.0
"""Seconds between two writes of what was compared."""

_MAX_WAITING = 1024
"""Rows held for the shadow; a sample need not be long, it must be recent."""


@dataclass
class Comparison:
    """What the two versions answered on the rows that both scored."""

    rows: int = 0
    dropped: int = 0
    """Rows that were offered and not scored."""
    disagreements: int = 0
    """Rows with another label; of a regression, rows with another number."""
    difference: float = 0.0
    """Sum over rows of the largest difference of a score."""
    largest: float = 0.0
    failures: int = 0
    """Rows for which the other version had no answer."""
    seconds: float = 0.0
    """Time the other version took for all rows."""
    served_sums: npt.NDArray[np.float64] | None = None
    """Sum of production's scores, by class."""
    other_sums: npt.NDArray[np.float64] | None = None

    def document(self) -> dict[str, Any]:
        """Return plain values, with what is undefined at no rows left out."""
        said: dict[str, Any] = {
            "rows": self.rows,
            "dropped": self.dropped,
            "failures": self.failures,
            "disagreements": self.disagreements,
        }
        if self.rows and self.served_sums is not None and self.other_sums is not None:
            said |= {
                "agreement": 1 - self.disagreements / self.rows,
                "mean_difference": self.difference / self.rows,
                "largest_difference": self.largest,
                "microseconds_a_row": self.seconds / self.rows * 1e6,
                "mean_scores_in_production": (self.served_sums / self.rows).tolist(),
                "mean_scores_of_the_other": (self.other_sums / self.rows).tolist(),
            }
        return said


@dataclass(frozen=True)
class Beside:
    """A version that is compared with the one in production."""

    served: Served
    other: Served
    role: Role
    comparison: Comparison


class Shadow:
    """Compares another version with the one in production, on sampled requests.

    Args:
        log: keeps what was compared; None keeps nothing.
    """

    def __init__(self, log: ShadowLog | None = None) -> None:
        self._log = log
        self._ended: deque[Beside] = deque()
        self._beside: Beside | None = None
        self._waiting: deque[tuple[Rows, npt.NDArray[np.float64]]] = deque()
        self._waiting_rows = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to score in the background."""
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_s: float) -> None:
        """End; what waits is forgotten."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def compare(self, served: Served | None, other: Served | None, role: Role) -> None:
        """Compare these two from now on; None compares nothing."""
        current = self._beside
        if current is not None and current.served is served and current.other is other:
            return
        with self._lock:
            self._waiting.clear()
            self._waiting_rows = 0
            if current is not None and self._log is not None:
                self._ended.append(current)
            if served is None or other is None or not _is_comparable(served, other):
                self._beside = None
            else:
                self._beside = Beside(served, other, role, Comparison())

    @property
    def state(self) -> tuple[Role, Served, Comparison] | None:
        """Which version stands beside production, and how it compares; None for none."""
        beside = self._beside
        return None if beside is None else (beside.role, beside.other, beside.comparison)

    def offer(self, served: Served, rows: Rows, scores: npt.NDArray[np.float64]) -> None:
        """Give the shadow rows that were answered; never waits, drops what does not fit."""
        beside = self._beside
        if beside is None or beside.served is not served:
            return
        n_rows = len(scores)
        with self._lock:
            if self._waiting_rows + n_rows > _MAX_WAITING:
                beside.comparison.dropped += n_rows
                return
            self._waiting_rows += n_rows
            self._waiting.append((rows, scores))

    def score_some(self) -> int:
        """Score what waits, about a slice's worth; return the rows that were scored."""
        beside = self._beside
        if beside is None:
            return 0
        room = max(1, int(SLICE_S / beside.other.row_seconds))
        taken = self._take(room)
        if not taken:
            return 0
        values = np.concatenate([recode(rows, beside.served, beside.other) for rows, _ in taken])
        served = np.concatenate([scores for _, scores in taken])
        _add(beside, values, served)
        return len(values)

    def _take(self, room: int) -> list[tuple[Rows, npt.NDArray[np.float64]]]:
        """Take requests up to so many rows, at least one request if there is one."""
        taken: list[tuple[Rows, npt.NDArray[np.float64]]] = []
        with self._lock:
            while self._waiting and room > 0:
                one = self._waiting.popleft()
                self._waiting_rows -= len(one[1])
                room -= len(one[1])
                taken.append(one)
        return taken

    def _run(self) -> None:
        step_behind()
        pause_s, told = _PERIOD_S, time.monotonic()
        while not self._stop.wait(pause_s):
            if self._ended or time.monotonic() - told >= _TELL_S:
                self.tell()
                told = time.monotonic()
            started = time.thread_time()
            self.score_some()
            # a request of many rows takes longer than a slice, and is paid for by a longer pause
            spent_s = time.thread_time() - started
            period_s = _IDLE_S if self._beside is None else _PERIOD_S
            pause_s = max(period_s, spent_s * _PERIOD_S / SLICE_S)
        self.tell()

    def tell(self) -> None:
        """Keep what was compared until now, and what ended since."""
        if self._log is None:
            return
        while self._ended:
            self._log.write(self._ended.popleft())
        if self._beside is not None:
            self._log.write(self._beside)


def _add(beside: Beside, values: npt.NDArray[np.float64], served: npt.NDArray[np.float64]) -> None:
    """Score the rows with the other version and add the result up."""
    comparison = beside.comparison
    started = time.perf_counter()
    try:
        other = beside.other.bundle.scorer.scores(values)
    except BundleError:
        comparison.failures += len(values)
        return
    finite = np.isfinite(other).all(axis=1)
    comparison.failures += int((~finite).sum())
    served, other = served[finite], other[finite]
    comparison.seconds += time.perf_counter() - started
    comparison.rows += len(other)
    if not len(other):
        return
    differences = np.abs(other - served).max(axis=1)
    if beside.served.schema.task == "regression":
        differ = differences > 0
    else:
        differ = np.argmax(other, axis=1) != np.argmax(served, axis=1)
    comparison.disagreements += int(differ.sum())
    comparison.difference += float(differences.sum())
    comparison.largest = max(comparison.largest, float(differences.max()))
    sums = [served.sum(axis=0), other.sum(axis=0)]
    if comparison.served_sums is not None and comparison.other_sums is not None:
        sums = [comparison.served_sums + sums[0], comparison.other_sums + sums[1]]
    comparison.served_sums, comparison.other_sums = sums


def _is_comparable(served: Served, other: Served) -> bool:
    """Whether both read the same columns and answer the same question."""

    def question(schema: FeatureSchema) -> Any:
        columns = [(feature.name, feature.kind) for feature in schema.features]
        return columns, schema.task, schema.classes

    return bool(question(served.schema) == question(other.schema))


def recode(rows: Rows, served: Served, other: Served) -> npt.NDArray[np.float64]:
    """Return rows that were encoded for one version as another one reads them.

    Two versions may know other levels of a category, so their codes differ.
    """
    values = rows.values
    for position, feature in enumerate(served.schema.features):
        levels = other.schema.features[position].categories
        if feature.kind != "category" or feature.categories == levels:
            continue
        code = {level: float(number) for number, level in enumerate(levels or ())}
        table = np.array(
            [*(code.get(level, UNSEEN) for level in feature.categories or ()), UNSEEN, np.nan]
        )
        if values is rows.values:
            values = values.copy()
        column = values[:, position]
        places = np.where(np.isnan(column), len(table) - 1, column).astype(int)
        places[column == UNSEEN] = len(table) - 2
        values[:, position] = table[places]
        for row, level in rows.unseen.get(position, {}).items():
            values[row, position] = code.get(level, UNSEEN)
    return values
