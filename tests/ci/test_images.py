"""The images' plan holds for every member of the workspace, found, never listed."""

import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from ci.image_layers import Image, Layer, over_budget, table, unique_bytes
from ci.images import Recipe, build_command, recipes
from images.elf import drop_sections
from images.libraries import PLACES, TRUNK, Lock, layers_of, members
from modelwarrant.errors import PermanentError

ROOT = Path(__file__).resolve().parents[2]
LOCK = Lock.read((ROOT / "uv.lock").read_text())
MEMBERS = members(ROOT)
DOCKERFILES = sorted((ROOT / "images").glob("*.Dockerfile"))


def test_every_stage_the_gate_and_serving_have_an_image() -> None:
    """An image is what has a pyproject of its own: a new stage's is found."""
    stages = {path.parent.name for path in (ROOT / "components").glob("*/component.py")}

    assert {*stages, "gate", "serving"} == set(MEMBERS)


@pytest.mark.parametrize("image", MEMBERS)
def test_an_image_has_every_library_of_its_lock(image: str) -> None:
    """Nothing that the image's own pyproject brings is missing from its layers."""
    member = MEMBERS[image]
    libraries = frozenset().union(*(found for _, found in layers_of(LOCK, member)))

    assert LOCK.closure([member]) - {member} <= libraries


@pytest.mark.parametrize("image", MEMBERS)
def test_an_image_takes_the_trunk_from_below_without_a_gap(image: str) -> None:
    """A gap would make every layer above it another one, and so a second copy."""
    names = [name for name, _ in layers_of(LOCK, MEMBERS[image])][: len(TRUNK)]
    taken = [name for name in names if name]

    assert list(TRUNK)[: len(taken)] == names[: len(taken)] == taken


def test_serving_has_nothing_that_trains_or_reads_tables() -> None:
    """What answers requests carries no scikit-learn, SciPy, pandas or pyarrow."""
    libraries = frozenset().union(*(found for _, found in layers_of(LOCK, MEMBERS["serving"])))

    unused = {"scikit-learn", "scipy", "pandas", "joblib", "skl2onnx", "pyarrow", "fastapi"}
    assert not libraries & unused


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.stem)
def test_dockerfiles_share_their_first_stages(file: Path) -> None:
    """One text makes one cached build, and the same layers in every image."""
    heads = {path.read_text().partition("# END OF SHARED")[0] for path in DOCKERFILES}

    assert {file.read_text().partition("# END OF SHARED")[0]} == heads


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.stem)
def test_a_dockerfile_keeps_the_rules_of_our_images(file: Path) -> None:
    """One base argument, a numeric user, a place for each layer, an ENTRYPOINT without a shell."""
    text = file.read_text()
    final = text.partition("# END OF SHARED")[2]
    entry = re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", text, re.MULTILINE)

    assert ["python:3.11-slim-bookworm"] == re.findall(r"^ARG BASE=(.*)$", text, re.MULTILINE)
    assert {"${BASE}", "scratch", "runtime"} == set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert ["65532:65532"] == re.findall(r"^USER (.*)$", text, re.MULTILINE)
    assert PLACES == len(re.findall(r"^COPY --from=libraries /images/\S+/\d+/ /$", final, re.M))
    assert ([] if file.stem == "stage" else [f'["python", "-m", "{file.stem}"]']) == entry


def test_a_code_change_of_the_command_line_rebuilds_nothing() -> None:
    """The context holds what images are made of, and no specification, test or command line."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert "**" == next(line for line in lines if not line.startswith("#"))
    assert {"modelwarrant/cli", "components/*/component.py", "**/__pycache__"} <= set(lines)


def test_a_command_names_no_value_of_the_environment() -> None:
    """An index with a password is passed by name: process lists and histories do not show it."""
    environment = {"UV_DEFAULT_INDEX": "https://me:secret@index", "SSL_CERT_FILE": "/ca.crt"}
    command = build_command(
        ["docker", "build"], Recipe("detect_drift"), environment=environment, revision="abc"
    )

    assert "me:secret" not in " ".join(command)
    assert "UV_DEFAULT_INDEX" in command
    assert "id=certificates,src=/ca.crt" in command
    assert "STAGE=detect_drift" in command
    assert "modelwarrant/detect-drift:dev" in command


def test_an_unknown_image_is_refused_with_the_known_ones() -> None:
    """A mistyped STAGE says what there is."""
    with pytest.raises(
        PermanentError, match=r"no image 'detect'; there are serving, .*detect_drift"
    ):
        recipes(["detect"])


def test_a_shared_layer_counts_once() -> None:
    """Two images with the same lowest layer store it once."""
    base = Layer("a", 100)
    one = Image("one:dev", "sha256:1", (base, Layer("ab", 10)))
    two = Image("two:dev", "sha256:2", (base, Layer("ac", 20)))

    assert 130 == unique_bytes([one, two])


def test_a_layer_above_another_one_is_another_one() -> None:
    """The same bytes on another layer are stored twice: chains are compared, not digests."""
    one = Image("one:dev", "sha256:1", (Layer("a", 100), Layer("ax", 10)))
    two = Image("two:dev", "sha256:2", (Layer("b", 100), Layer("bx", 10)))

    assert 220 == unique_bytes([one, two])


def test_budgets_name_the_image_and_both_numbers() -> None:
    """Who breaks a budget reads which one, by how much, and where to look."""
    image = Image("modelwarrant/serving:dev", "sha256:1", (Layer("a", 3_000_000),))
    problems = over_budget([image], serving=2_000_000, total=1_000_000)

    assert 2 == len(problems)
    assert "modelwarrant/serving:dev has 3.0 MB, its budget is 2.0 MB" in problems[0]
    assert "all images have 3.0 MB, their budget is 1.0 MB" in problems[1]
    assert [] == over_budget([image], serving=3_000_000, total=3_000_000)


def test_the_table_shows_what_an_image_alone_has() -> None:
    """Sizes are of the image, of its own layers, and compressed where that was measured."""
    base = Layer("a", 100_000_000, 30_000_000)
    one = Image("one:dev", "sha256:1", (base, Layer("ab", 10_000_000, 4_000_000)))
    two = Image("two:dev", "sha256:2", (base,))
    lines = table([one, two]).splitlines()

    assert ["one:dev", "110.0", "MB", "10.0", "MB", "34.0", "MB"] == lines[1].split()
    assert ["two:dev", "100.0", "MB", "0.0", "MB", "30.0", "MB"] == lines[2].split()
    assert ["110.0", "MB", "34.0", "MB"] == lines[3].split()[-4:]


@pytest.mark.skipif(sys.platform != "linux", reason="images are built from Linux libraries")
def test_a_library_without_sections_is_smaller_and_loads(tmp_path: Path) -> None:
    """What the loader needs stays: the library opens in a fresh process."""
    spec = util.find_spec("pydantic_core._pydantic_core")
    assert spec is not None
    assert spec.origin is not None
    copy = tmp_path / "library.so"
    shutil.copyfile(spec.origin, copy)
    before = copy.stat().st_size

    drop_sections(copy)
    load = f"import ctypes; ctypes.PyDLL({str(copy)!r}).PyInit__pydantic_core"
    result = subprocess.run([sys.executable, "-c", load], capture_output=True, check=False)

    assert before > copy.stat().st_size
    assert 0 == result.returncode, result.stderr


def test_what_is_no_library_stays_as_it_is(tmp_path: Path) -> None:
    """A linker script that is called .so is text."""
    script = tmp_path / "libm.so"
    script.write_text("GROUP ( /lib/libm.so.6 )")
    drop_sections(script)

    assert "GROUP ( /lib/libm.so.6 )" == script.read_text()
