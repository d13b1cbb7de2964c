"""How are the images built, and are they small enough?

``make images`` builds one image a stage, the gate's and serving's, with the docker that is
installed, and refuses what is over the budgets below. An index, a proxy or a certificate that this
machine's environment names is used while building and is in no image.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ci.image_layers import (
    SERVING_BUDGET,
    TOTAL_BUDGET,
    Image,
    over_budget,
    read_images,
    table,
)
from images.libraries import members
from modelwarrant import __version__
from modelwarrant.errors import PermanentError, WarrantError
from modelwarrant.stage.exits import exit_code

__all__ = ["Recipe", "build_command", "docker_client", "main", "recipes"]

ROOT = Path(__file__).resolve().parent.parent
_FROM_ENVIRONMENT = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "BASE"),
)
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_SHOWN_LINES = 40
"""Of a failed build's output, the last ones."""


@dataclass(frozen=True)
class Recipe:
    """How one image is made."""

    name: str
    """As a folder is named: ``detect_drift``, ``gate``, ``serving``."""

    @property
    def tag(self) -> str:
        """What docker calls it, as in the pipelines and the manifests."""
        return f"modelwarrant/{self.name.replace('_', '-')}:dev"

    @property
    def is_stage(self) -> bool:
        """Whether its code is a folder of components/."""
        return self.name not in ("gate", "serving")

    @property
    def dockerfile(self) -> str:
        """Path below the root."""
        return f"images/{'stage' if self.is_stage else self.name}.Dockerfile"


def recipes(names: Sequence[str] = ()) -> list[Recipe]:
    """Return the recipes of these images, or of all; serving first, since its budget is tight.

    Raises:
        PermanentError: there is no such image.
    """
    known = sorted(members(ROOT), key=lambda name: (name != "serving", name))
    for name in names:
        if name not in known:
            raise PermanentError(f"there is no image {name!r}; there are {', '.join(known)}")
    return [Recipe(name) for name in known if not names or name in names]


def build_command(
    docker: Sequence[str], recipe: Recipe, *, environment: Mapping[str, str], revision: str
) -> list[str]:
    """Return the command that builds an image; values of the environment do not stand in it."""
    command = [*docker, "--network=host", "--progress=plain", "--file", recipe.dockerfile]
    command += ["--tag", recipe.tag, "--build-arg", f"REVISION={revision}"]
    command += ["--build-arg", f"VERSION={__version__}"]
    if recipe.is_stage:
        command += ["--build-arg", f"STAGE={recipe.name}"]
    for name in _FROM_ENVIRONMENT:
        if environment.get(name):
            command += ["--build-arg", name]
    for name in _CERTIFICATES:
        if environment.get(name):
            command += ["--secret", f"id=certificates,src={environment[name]}"]
            break
    return [*command, "."]


@cache
def docker_client() -> str:
    """Return the docker client that can build: an old one with BuildKit inside, or with buildx.

    Raises:
        PermanentError: none is installed, or no daemon answers.
    """
    found = [
        str(path)
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if (path := Path(folder, "docker")).is_file()
    ]
    if not found:
        raise PermanentError("docker is not installed; it builds the images")
    for client in found:
        if _client_version(client) < 23 or _has_buildx(client):
            done = subprocess.run([client, "info"], capture_output=True, text=True, check=False)
            if done.returncode:
                raise PermanentError(f"dockerd does not answer: {done.stderr.strip()[:300]}")
            return client
    raise PermanentError(f"{found[0]} cannot build; install its plugin buildx")


def _client_version(client: str) -> int:
    text = subprocess.run([client, "--version"], capture_output=True, text=True, check=True).stdout
    return int(text.split("version ")[1].split(".")[0])


def _has_buildx(client: str) -> bool:
    return not subprocess.run([client, "buildx", "version"], capture_output=True).returncode


def _build(options: argparse.Namespace) -> None:
    client = docker_client()
    docker = [client, "buildx", "build", "--load"] if _has_buildx(client) else [client, "build"]
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    revision = git.stdout.strip() or "unknown"
    started = time.monotonic()
    for recipe in recipes(options.image):
        began = time.monotonic()
        done = subprocess.run(
            build_command(docker, recipe, environment=os.environ, revision=revision),
            cwd=ROOT,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            print("\n".join(done.stdout.splitlines()[-_SHOWN_LINES:]), file=sys.stderr)
            raise PermanentError(f"{recipe.tag} was not built; docker's last words are above")
        print(f"{recipe.tag:40} {time.monotonic() - began:6.1f} s", flush=True)
    print(f"{'together':40} {time.monotonic() - started:6.1f} s")
    _sizes(options)


def _sizes(options: argparse.Namespace) -> None:
    compress = getattr(options, "compressed", False)
    built = _read(recipes(), compressed=compress)
    print(table(built))
    problems = over_budget(built, serving=SERVING_BUDGET, total=TOTAL_BUDGET)
    if problems:
        raise PermanentError("; ".join(problems))


def _read(wanted: Sequence[Recipe], *, compressed: bool = False) -> list[Image]:
    client = docker_client()
    tags = [recipe.tag for recipe in wanted if _exists(client, recipe.tag)]
    return read_images(client, tags, compressed=compressed)


def _exists(client: str, tag: str) -> bool:
    return not subprocess.run([client, "image", "inspect", tag], capture_output=True).returncode


def _all_tags(options: argparse.Namespace) -> list[str]:
    wanted = [recipe.tag for recipe in recipes(options.image)]
    absent = [tag for tag in wanted if not _exists(docker_client(), tag)]
    if absent:
        raise PermanentError(f"docker has no {', '.join(absent)}; run `make images` first")
    return wanted


def _load(options: argparse.Namespace) -> None:
    """Give one archive of all images, so each layer once, to a program that knows the node."""
    loader = (options.loader or os.environ.get("IMAGE_LOADER", "")).split()
    if not loader:
        raise PermanentError(
            'name the program: make images-load LOADER="testbed load-image"; on kind and minikube '
            "`make cluster-load` knows it"
        )
    tags = _all_tags(options)
    with tempfile.TemporaryDirectory() as folder:
        archive = str(Path(folder, "images.tar"))
        subprocess.run([docker_client(), "save", "--output", archive, *tags], check=True)
        try:
            subprocess.run([*loader, archive], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PermanentError(f"{loader[0]} did not load the images: {error}") from error


_SBOM = (
    ("syft", "scan", "docker:{tag}", "--output", "spdx-json={file}.spdx.json"),
    ("trivy", "image", "--quiet", "--format", "spdx-json", "--output", "{file}.spdx.json", "{tag}"),
)
_SCAN = (
    (
        "trivy",
        "image",
        "--quiet",
        "--severity",
        "HIGH,CRITICAL",
        "--ignore-unfixed",
        "--exit-code",
        "1",
        "{tag}",
    ),
    ("grype", "--quiet", "--only-fixed", "--fail-on", "high", "docker:{tag}"),
)


def _with_tool(options: argparse.Namespace) -> None:
    """Call the first tool that is installed, for each image."""
    tools = {"sbom": _SBOM, "scan": _SCAN}[options.command]
    command = next((line for line in tools if shutil.which(line[0])), None)
    if command is None:
        names = " nor ".join(line[0] for line in tools)
        raise PermanentError(f"neither {names} is installed; nothing was looked at")
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    bad = []
    for tag in _all_tags(options):
        file = folder / tag.partition("/")[2].partition(":")[0]
        filled = [part.format(tag=tag, file=file) for part in command]
        if subprocess.run(filled, check=False).returncode:
            bad.append(tag)
    if bad:
        raise PermanentError(f"{command[0]} is not content with {', '.join(bad)}")


def _digests(options: argparse.Namespace) -> None:
    for image in _read(recipes(options.image)):
        print(f"{image.tag} {image.digest}")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m ci.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, text in (
        ("build", _build, "build all images, or the named ones, and hold them to the budgets"),
        ("sizes", _sizes, "show what each image weighs"),
        ("load", _load, "bring all images into a node"),
        ("sbom", _with_tool, "list what is in each image, by syft or trivy"),
        ("scan", _with_tool, "look for known vulnerabilities, by trivy or grype"),
        ("digests", _digests, "print each image's digest"),
    ):
        one = commands.add_parser(name, help=text)
        one.set_defaults(run=run)
        one.add_argument("--image", action="append", default=[], help="folder's name; repeatable")
        if name == "sizes":
            one.add_argument("--compressed", action="store_true", help="as in a registry; slow")
        if name == "load":
            one.add_argument("--loader", help="program that is given the archive")
    options = parser.parse_args(argv)
    try:
        options.run(options)
    except WarrantError as error:
        print(f"images: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
