"""Does the prediction service keep its promises for minutes, through kills, swaps and outages?

Real processes on loopback, everything on (verification, trial, shadow, payload log), clients at a
fixed rate that judge every answer. Prints one line a promise; the exit code is 1 where one broke.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci.served_world import Service, World, page, until
from ci.steady_load import Tally, steady_load
from tests.serving.tiny import air_time_model

__all__ = ["FULL", "PHASES", "QUICK", "Said", "Size", "main", "run"]

_SAMPLE_S: Final = 1.0


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    steady_s: float
    rate: float
    kills: int
    swaps: int
    seen: int
    """Rollbacks whose time until they answer is measured, at the service's own pace."""
    ends: int
    outage_s: float


FULL = Size(steady_s=600, rate=1000, kills=100, swaps=1000, seen=20, ends=10, outage_s=600)
QUICK = Size(steady_s=3, rate=200, kills=2, swaps=10, seen=1, ends=2, outage_s=1)


@dataclass(frozen=True)
class Said:
    """What one phase showed."""

    words: str
    broken: tuple[str, ...]
    """Promises that were not kept."""


@asynccontextmanager
async def _under_load(
    world: World, services: list[Service], *, rate: float, connections: int
) -> AsyncIterator[Callable[[], Any]]:
    """Start services and clients; what is yielded ends the clients and returns their tally."""
    for one in services:
        await one.start()
    ended = asyncio.Event()
    load = asyncio.ensure_future(
        steady_load(services, world.truth, rate=rate, connections=connections, ended=ended)
    )

    async def stop() -> Tally:
        ended.set()
        return await load

    try:
        yield stop
    finally:
        ended.set()
        await asyncio.gather(load, return_exceptions=True)
        for one in services:
            if one.process.poll() is None:
                one.kill()


async def steady(world: World, size: Size) -> Said:
    """Requests at a fixed rate, a candidate beside production, and the memory meanwhile."""
    world.place.decide(air_time_model(bias=2))
    service, memory = world.service("one"), []
    async with _under_load(world, [service], rate=size.rate, connections=16) as stop:
        ends_at = time.monotonic() + size.steady_s
        while time.monotonic() < ends_at:
            await asyncio.sleep(_SAMPLE_S)
            memory.append(service.memory_mb())
        tally: Tally = await stop()
        code = await service.end()
    tenth = max(1, len(memory) // 10)
    first, last = statistics.median(memory[tenth : 2 * tenth]), statistics.median(memory[-tenth:])
    drift = 100 * (last / first - 1)
    logged = await asyncio.to_thread(world.logged_rows)
    rate = sum(tally.statuses.values()) / size.steady_s
    words = (
        f"{size.steady_s:.0f} s at {rate:,.0f} requests a second: {_counted(tally)}; p50 "
        f"{tally.quantile_ms(0.5):.1f} ms, p99 {tally.quantile_ms(0.99):.1f} ms; {logged:,} of "
        f"{tally.rows:,} rows logged; {first:.1f} MB in the second tenth, {last:.1f} MB in the "
        f"last ({drift:+.1f} %), {max(memory):.1f} MB at most"
    )
    checks = {"rows are not in the log": logged == tally.rows, f"exit {code}": code == 0}
    checks["memory drifts"] = drift < 5 or size.steady_s < FULL.steady_s
    checks["the rate was not held"] = rate > 0.99 * size.rate or size.steady_s < FULL.steady_s
    return Said(words, _broken(tally, checks))


async def kills(world: World, size: Size) -> Said:
    """Replicas are killed in turn; a client whose connection breaks asks the other one."""
    services = [world.service(name) for name in ("one", "two")]
    in_flight = 0
    async with _under_load(world, services, rate=size.rate / 4, connections=8) as stop:
        for number in range(size.kills):
            await asyncio.sleep(0.2)
            service = services[number % 2]
            await _asked(service)
            in_flight += service.kill()
            await service.start()
        tally: Tally = await stop()
    await asyncio.to_thread(world.logged_rows)  # each file that is there can be read
    world.place.ledger.entries()
    words = f"{size.kills} SIGKILLs: {_counted(tally)}; {in_flight} were in flight"
    return Said(words, _broken(tally, {"more were lost": tally.lost <= in_flight}, may_lose=True))


async def swaps(world: World, size: Size) -> Said:
    """Promotions and rollbacks, each answered before the next; then rollbacks at its own pace."""
    service = world.service("one", poll_s=0.02)
    versions = [world.place.production.number, world.promote(2.0)]
    async with _under_load(world, [service], rate=size.rate / 4, connections=8) as stop:
        for number in range(size.swaps):
            if number % 10 == 9:
                versions.append(await asyncio.to_thread(world.promote, float(number + 3)))
            else:
                await asyncio.to_thread(_roll_back, world, versions)
            await _answered_by(service, world)
        tally: Tally = await stop()
    slow, seen = world.service("two"), []
    async with _under_load(world, [slow], rate=size.rate / 4, connections=8) as stop:
        for number in range(size.seen):
            await asyncio.sleep(0.37 * (number % 7))  # at every moment between two looks
            await asyncio.to_thread(_roll_back, world, versions)
            began = time.monotonic()
            await _answered_by(slow, world)
            seen.append(time.monotonic() - began)
        later: Tally = await stop()
    words = (
        f"{size.swaps} promotions and rollbacks: {_counted(tally)}, by {len(tally.versions)} "
        f"versions; {size.seen} rollbacks seen after {statistics.median(seen):.2f} s, "
        f"{max(seen):.2f} s at most: {_counted(later)}"
    )
    return Said(words, _broken(tally, {"seen too late": max(seen) <= 2.0}) + _broken(later, {}))


async def ends(world: World, size: Size) -> Said:
    """Replicas are told to end in turn, under load; what was answered is in the log."""
    services = [world.service(name) for name in ("one", "two")]
    codes = []
    async with _under_load(world, services, rate=size.rate / 4, connections=8) as stop:
        for number in range(size.ends):
            await asyncio.sleep(0.5)
            codes.append(await services[number % 2].end())
            await services[number % 2].start()
        tally: Tally = await stop()
        codes += [await one.end() for one in services]
    logged = await asyncio.to_thread(world.logged_rows)
    words = f"{size.ends} SIGTERMs: {_counted(tally)}; {logged:,} of {tally.rows:,} rows logged"
    checks = {"rows are not in the log": logged == tally.rows, f"exits {codes}": not any(codes)}
    return Said(words, _broken(tally, checks))


async def outage(world: World, size: Size) -> Said:
    """The store is gone; one replica is started again meanwhile; then the store is back."""
    services = [world.service(name) for name in ("one", "two")]
    away = world.folder / "away"
    async with _under_load(world, services, rate=20, connections=4) as stop:
        await asyncio.sleep(1)
        world.place.root.rename(away)
        began = time.monotonic()
        await asyncio.sleep(size.outage_s)
        code = await services[0].end()
        await services[0].start()
        gone_s = time.monotonic() - began
        pages = [await asyncio.to_thread(page, one.port, "/readyz") for one in services]
        is_untouched = not world.place.root.exists()
        away.rename(world.place.root)
        for one in services:
            await until(lambda one=one: page(one.port, "/readyz").get("store") == "ok")
        tally: Tally = await stop()
    stale = [one["model_stale_seconds"] for one in pages]
    words = (
        f"store gone for {gone_s:.0f} s: {_counted(tally)}; /readyz of the replica that was "
        f"started meanwhile: stale {stale[0]:.0f} s, {pages[0]['store']!r}"
    )
    checks = {
        "a replica is not ready or does not say so": all(
            page["ready"]
            and page["store"] != "ok"
            and page["model_stale_seconds"] > size.outage_s / 2
            for page in pages
        ),
        "something was written where the store was": is_untouched,
        f"exit {code}": code == 0,
    }
    return Said(words, _broken(tally, checks))


PHASES: Final = {each.__name__: each for each in (steady, kills, swaps, ends, outage)}


def run(phase: str, size: Size, folder: Path) -> Said:
    """Run one phase in a folder of its own."""
    return asyncio.run(PHASES[phase](World(folder), size))


def main(argv: list[str]) -> int:
    """Run the phases that were asked for and print what each showed."""
    parser = argparse.ArgumentParser(prog="python -m ci.endurance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds of each")
    parser.add_argument("--only", action="append", choices=PHASES, help="only this one (again)")
    asked = parser.parse_args(argv)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    failed = False
    for phase in asked.only or PHASES:
        with tempfile.TemporaryDirectory() as folder:
            said = run(phase, QUICK if asked.quick else FULL, Path(folder))
        failed |= bool(said.broken)
        load = f"load {os.getloadavg()[0]:.1f}"
        verdict = f"BROKEN: {'; '.join(said.broken)}" if said.broken else "kept"
        print(f"{phase}: {said.words} [{load}]: {verdict}", flush=True)
    return int(failed)


async def _asked(service: Service) -> None:
    """Wait until a request is in flight."""
    deadline = time.monotonic() + 5
    while not service.in_flight and time.monotonic() < deadline:
        await asyncio.sleep(0)


def _counted(tally: Tally) -> str:
    answered = ", ".join(
        f"{count:,} x {status}" for status, count in sorted(tally.statuses.items())
    )
    return f"{answered}, {tally.lost} lost, {len(tally.wrong)} wrong"


def _broken(tally: Tally, checks: dict[str, bool], *, may_lose: bool = False) -> tuple[str, ...]:
    found = {
        f"{tally.server_errors} answers 5xx": tally.server_errors == 0,
        f"wrong answers, such as {tally.wrong[:1]}": not tally.wrong,
        f"{tally.lost} requests lost": may_lose or tally.lost == 0,
        "nobody was answered": tally.rows > 0,
    }
    return tuple(what for what, is_kept in (found | checks).items() if not is_kept)


def _roll_back(world: World, versions: list[int]) -> None:
    production = world.place.production.number
    world.place.rollback(next(one for one in reversed(versions) if one != production))


async def _answered_by(service: Service, world: World) -> None:
    """Wait until the newest entry that moved production stands behind the answers."""
    moved = world.place.ledger.state().moved
    await until(lambda: page(service.port, "/version").get("ledger_seq") == moved)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
