"""What does every client of a service see while something happens to it?

Clients send at a fixed rate whatever the answers do, each over a connection of its own, and judge
every answer: status, prediction, version and digest. A request whose connection broke before its
answer was whole is lost; a replica that cannot be reached is passed over for the next one, as a
load balancer does.
"""

import asyncio
import itertools
import json
import random
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.serving.tiny import ROW

__all__ = ["Replica", "Tally", "Truth", "steady_load"]

_PATH: Final = "/v2/models/flights/infer"
_SECRET: Final = b"9119119"
"""Stands in a request that is wrong; no answer may hold it."""
_PAUSE_S: Final = 0.02
"""Wait before all replicas are tried again."""


class Replica:
    """One service as clients see it."""

    def __init__(self) -> None:
        self.port: int | None = None
        """None while nothing listens."""
        self.in_flight = 0
        """Requests that were sent and have no whole answer yet."""
        self.life = 0
        """Counts its processes: nobody sends to one that has ended."""


class Truth:
    """What a version must answer: distance / 8 and its own bias."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, str]] = {}

    def learn(self, version: int, bias: float, digest: str) -> None:
        """Remember a version before anybody may be answered by it."""
        self._known[version] = (bias, digest)

    def allows(self, distances: Sequence[float], version: int, digest: str, said: Any) -> bool:
        """Whether this version gives these answers for these distances."""
        bias, known = self._known[version]
        return digest == known and [one / 8 + bias for one in distances] == said


@dataclass
class Tally:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    rows: int = 0
    """Rows that were answered."""
    wrong: list[str] = field(default_factory=list)
    """Answers that are not what their request and version make them."""
    lost: int = 0
    versions: set[int] = field(default_factory=set)
    """Those that answered."""
    seconds: list[float] = field(default_factory=list)
    """From when a request was due to its whole answer."""

    @property
    def server_errors(self) -> int:
        """Answers 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the waiting time in milliseconds."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3


Answer = tuple[int, str, list[float]]
"""Version, digest and predictions."""


@dataclass(frozen=True)
class _Ask:
    """One request, and how its answer is read."""

    data: bytes
    distances: tuple[float, ...]
    """One a row; none where the request must be refused."""
    read: Callable[[bytes, bytes], Answer]
    """Of head and body."""


async def steady_load(
    replicas: Sequence[Replica],
    truth: Truth,
    *,
    rate: float,
    connections: int,
    ended: asyncio.Event,
) -> Tally:
    """Send requests until the event is set; return what came of them."""
    tally, began = Tally(), time.monotonic()
    clients = [
        _client(replicas, truth, tally, number, began + number / rate, connections / rate, ended)
        for number in range(connections)
    ]
    await asyncio.gather(*clients)
    return tally


async def _client(
    replicas: Sequence[Replica],
    truth: Truth,
    tally: Tally,
    number: int,
    due: float,
    every: float,
    ended: asyncio.Event,
) -> None:
    """Send one request after the other, each when it is due or as soon as the one before ended."""
    asks, line = _asks(number), _Line(replicas, number)
    while not ended.is_set():
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if not await line.is_up():
            await asyncio.sleep(_PAUSE_S)
            continue
        ask = next(asks)
        try:
            status, head, body = await line.exchange(ask.data)
        except (OSError, asyncio.IncompleteReadError):
            tally.lost += 1
        else:
            _count(tally, truth, ask, status, head, body)
            tally.seconds.append(time.monotonic() - due)
        due += every
    line.close()


def _count(tally: Tally, truth: Truth, ask: _Ask, status: int, head: bytes, body: bytes) -> None:
    tally.statuses[status] += 1
    if status >= 500:
        return  # counted apart
    if not ask.distances:
        is_right = status in (400, 422) and _SECRET not in body
    else:
        is_right = status == 200 and _is_true(tally, truth, ask, head, body)
    if not is_right:
        tally.wrong.append(f"{status} {body[:300]!r} to {ask.data[:300]!r}")


def _is_true(tally: Tally, truth: Truth, ask: _Ask, head: bytes, body: bytes) -> bool:
    try:
        version, digest, predictions = ask.read(head, body)
    except (ValueError, KeyError, IndexError, TypeError, struct.error):
        return False
    tally.rows += len(predictions)
    tally.versions.add(version)
    return truth.allows(ask.distances, version, digest, predictions)


class _Line:
    """One client's connection, made anew at the next replica where it broke."""

    def __init__(self, replicas: Sequence[Replica], number: int) -> None:
        self._replicas = replicas
        self._next = number
        self._held: tuple[Replica, asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._life = 0

    async def is_up(self) -> bool:
        """Connect where there is no connection, or where the other side has closed it."""
        if self._held is not None:
            replica, reader, _ = self._held
            if reader.at_eof() or replica.life != self._life:
                self.close()
        if self._held is not None:
            return True
        for _ in self._replicas:
            replica = self._replicas[self._next % len(self._replicas)]
            self._next += 1
            if replica.port is None:
                continue
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", replica.port)
            except OSError:
                continue
            self._held, self._life = (replica, reader, writer), replica.life
            return True
        return False

    async def exchange(self, data: bytes) -> tuple[int, bytes, bytes]:
        """Send a request and return status, head and body of its answer."""
        if self._held is None:
            raise ConnectionError("not connected")
        replica, reader, writer = self._held
        replica.in_flight += 1
        try:
            writer.write(data)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = _number(head, b"content-length")
            body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            raise
        finally:
            replica.in_flight -= 1
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), head, body

    def close(self) -> None:
        """End the connection."""
        if self._held is not None:
            self._held[2].close()
            self._held = None


def _asks(number: int) -> Iterator[_Ask]:
    """Yield one client's requests: rows, batches, tensors, binary ones, and some that are wrong."""
    rng = random.Random(number)  # noqa: S311 - no secret
    for turn in itertools.count():
        distance = float(rng.randrange(5000))
        if turn % 50 == 49:
            yield _malformed(turn)
        elif turn % 50 == 24:
            yield _batch([float(rng.randrange(5000)) for _ in range(100)])
        else:
            yield (_row, _tensors, _binary)[turn % 3](distance)


def _row(distance: float) -> _Ask:
    def read(head: bytes, body: bytes) -> Answer:
        said = json.loads(body)
        return said["version"], said["model_digest"], [said["prediction"]]

    data = json.dumps({**ROW, "distance": distance}).encode()
    return _Ask(_post("/predict", data), (distance,), read)


def _batch(distances: list[float]) -> _Ask:
    def read(head: bytes, body: bytes) -> Answer:
        said = json.loads(body)
        found = [one["prediction"] for one in said["predictions"]]
        return said["version"], said["model_digest"], found

    rows = [{**ROW, "distance": distance} for distance in distances]
    return _Ask(_post("/predict", json.dumps({"rows": rows}).encode()), tuple(distances), read)


def _inputs(distance: float) -> list[dict[str, Any]]:
    kinds = {"distance": "FP64", "wind": "FP64", "carrier": "BYTES", "month": "INT64"}
    kinds |= {"night": "BOOL", "departure": "BYTES"}
    values: Mapping[str, Any] = {**ROW, "distance": distance}
    return [
        {"name": name, "shape": [1], "datatype": kinds[name], "data": [value]}
        for name, value in values.items()
    ]


def _tensors(distance: float) -> _Ask:
    def read(head: bytes, body: bytes) -> Answer:
        said = json.loads(body)
        digest = said["parameters"]["model_digest"]
        return int(said["model_version"]), digest, said["outputs"][0]["data"]

    data = json.dumps({"inputs": _inputs(distance)}).encode()
    return _Ask(_post(_PATH, data), (distance,), read)


def _binary(distance: float) -> _Ask:
    inputs = _inputs(distance)
    del inputs[0]["data"]
    inputs[0]["parameters"] = {"binary_data_size": 8}
    asked = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    document = json.dumps(asked).encode()

    def read(head: bytes, body: bytes) -> Answer:
        length = _number(head, b"inference-header-content-length")
        said = json.loads(body[:length])
        found = list(struct.unpack("<d", body[length:]))
        return int(said["model_version"]), said["parameters"]["model_digest"], found

    lines = ["Content-Type: application/octet-stream"]
    lines += [f"Inference-Header-Content-Length: {len(document)}"]
    return _Ask(_post(_PATH, document + struct.pack("<d", distance), lines), (distance,), read)


def _malformed(turn: int) -> _Ask:
    """Return a request that must be refused, and whose value must not come back."""
    bodies = (b"{", b"\xff", b'{"distance": "%s"}' % _SECRET, json.dumps([ROW]).encode())

    def read(head: bytes, body: bytes) -> Answer:
        raise ValueError("a refusal has no prediction")

    return _Ask(_post("/predict", bodies[turn // 50 % len(bodies)]), (), read)


def _number(head: bytes, name: bytes) -> int:
    """Return the value of a header of a head in lower case."""
    return int(head.partition(b"\r\n%s: " % name)[2].partition(b"\r")[0])


def _post(
    path: str, body: bytes, lines: Sequence[str] = ("Content-Type: application/json",)
) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: x", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body
