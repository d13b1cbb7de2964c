"""What docker has is what the cluster's rules ask for: run ``make images`` first."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from ci.image_layers import SERVING_BUDGET, TOTAL_BUDGET, over_budget, read_images
from ci.images import Recipe, docker_client, recipes

pytestmark = pytest.mark.cluster

ALL = recipes()
STAGES = [recipe for recipe in ALL if recipe.is_stage]
PROBE = """
import importlib.util, json, os, pathlib, shutil, stat
tools = "cc gcc g++ clang ld as make pip pip3 uv perl apt apt-get dpkg curl wget su mount".split()
modules = ["pip", "setuptools", "ensurepip"]
paths = [p for top in ("/usr", "/opt", "/app", "/etc") for p in pathlib.Path(top).rglob("*")]
paths = [p for p in paths if not p.is_symlink()]
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "tools": [name for name in tools if shutil.which(name)],
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "gaining": [str(p) for p in paths if p.is_file() and p.stat().st_mode & stat.S_ISUID],
    "owned": [str(p) for p in paths if p.stat().st_uid != 0],
    "writable": [str(p) for p in paths if p.stat().st_mode & stat.S_IWOTH],
}))
"""
"""What a process finds in a container."""


def run(recipe: Recipe, *command: str, entrypoint: str = "") -> subprocess.CompletedProcess[str]:
    """Run a container as a strict cluster would: read-only, without network and privileges."""
    options = ["--rm", "--read-only", "--network=none", "--cap-drop=ALL"]
    options += ["--security-opt=no-new-privileges"]
    if entrypoint:
        options += [f"--entrypoint={entrypoint}"]
    return subprocess.run(
        [docker_client(), "run", *options, recipe.tag, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@cache
def config(recipe: Recipe) -> dict[str, Any]:
    """Return the image's configuration; fails where the image was not built."""
    done = subprocess.run(
        [docker_client(), "image", "inspect", recipe.tag],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, f"docker has no {recipe.tag}: run `make images`"
    return dict(json.loads(done.stdout)[0]["Config"])


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_a_process_finds_nothing_to_build_install_or_change(recipe: Recipe) -> None:
    """A numeric user, no compiler, package manager or pip, nothing that gains rights or is ours."""
    result = run(recipe, "-c", PROBE, entrypoint="python")
    nothing: list[str] = []

    assert "65532:65532" == config(recipe)["User"]
    assert {
        "user": [65532, 65532],
        "tools": nothing,
        "modules": nothing,
        "gaining": nothing,
        "owned": nothing,
        "writable": nothing,
    } == json.loads(result.stdout)


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_labels_say_what_it_is_and_where_it_comes_from(recipe: Recipe) -> None:
    """The five labels of the OCI that tools show."""
    labels = config(recipe)["Labels"]
    prefix = "org.opencontainers.image"

    assert recipe.name in labels[f"{prefix}.title"]
    assert {"title", "source", "revision", "version", "licenses"} == {
        name.removeprefix(f"{prefix}.") for name in labels if name.startswith(prefix)
    }
    assert "unknown" not in labels.values()


@pytest.mark.parametrize("recipe", STAGES, ids=lambda recipe: recipe.name)
def test_a_stage_starts_without_an_entrypoint(recipe: Recipe) -> None:
    """The command of the pipeline is the whole command, on a read-only root."""
    result = run(recipe, "python", "-m", f"components.{recipe.name}.run", "--help")

    assert config(recipe)["Entrypoint"] is None
    assert config(recipe)["Cmd"] is None
    assert (0, "") == (result.returncode, result.stderr)
    assert "--executor-input" in result.stdout


@pytest.mark.parametrize("recipe", STAGES, ids=lambda recipe: recipe.name)
def test_a_stage_says_in_one_line_what_it_was_not_told(recipe: Recipe) -> None:
    """Its own code runs up to the check of its inputs, and exits with 2."""
    result = run(recipe, "python", "-m", f"components.{recipe.name}.run", "--executor-input", "{}")

    assert 2 == result.returncode
    assert "stage_failed" == json.loads(result.stderr.strip())["event"]


@pytest.mark.parametrize("name", ["gate", "serving"])
def test_a_service_without_configuration_ends_with_2(name: str) -> None:
    """Its ENTRYPOINT needs no shell, and says in one line what is missing."""
    result = run(Recipe(name))

    assert ["python", "-m", name] == config(Recipe(name))["Entrypoint"]
    assert 2 == result.returncode
    assert 1 == len(result.stderr.strip().splitlines())


def test_all_images_are_within_their_budgets() -> None:
    """Serving alone, and every layer of all images counted once."""
    images = read_images(docker_client(), [recipe.tag for recipe in ALL])

    assert [] == over_budget(images, serving=SERVING_BUDGET, total=TOTAL_BUDGET)
