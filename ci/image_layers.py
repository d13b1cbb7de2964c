"""What do the images weigh, each and together?

A layer counts once however many images have it, provided that all layers below it are the same too;
that is what docker, containerd and a node store.
"""

import gzip
import json
import posixpath
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from modelwarrant.errors import PermanentError

__all__ = [
    "SERVING_BUDGET",
    "TOTAL_BUDGET",
    "Image",
    "Layer",
    "over_budget",
    "read_images",
    "table",
    "unique_bytes",
]

SERVING_BUDGET = 250_000_000
"""Bytes of the serving image, uncompressed: it is pulled when traffic waits."""

TOTAL_BUDGET = 900_000_000
"""Bytes of all images together, uncompressed, shared layers once."""

_MAKES_LAYER = ("COPY", "RUN", "ADD", "WORKDIR")


@dataclass(frozen=True)
class Layer:
    """One layer of an image."""

    chain: str
    """Digests of it and of every layer below it."""
    size: int
    compressed: int | None = None
    """As a registry stores it; None where nobody compressed it."""


@dataclass(frozen=True)
class Image:
    """An image that docker has."""

    tag: str
    digest: str
    """Of its configuration, or of its manifest where it came from a registry."""
    layers: tuple[Layer, ...]

    @property
    def size(self) -> int:
        """Bytes, uncompressed."""
        return sum(layer.size for layer in self.layers)


def unique_bytes(images: Iterable[Image]) -> int:
    """Return the bytes of all layers, each counted once."""
    return sum({layer.chain: layer.size for image in images for layer in image.layers}.values())


def over_budget(images: Sequence[Image], *, serving: int, total: int) -> list[str]:
    """Return one sentence for each budget that is exceeded."""
    problems = []
    for image in images:
        if image.tag.startswith("modelwarrant/serving:") and image.size > serving:
            problems.append(
                f"{image.tag} has {_mb(image.size)}, its budget is {_mb(serving)}: see "
                f"`docker history {image.tag}` for what grew"
            )
    together = unique_bytes(images)
    if together > total:
        problems.append(f"all images have {_mb(together)}, their budget is {_mb(total)}")
    return problems


def table(images: Sequence[Image]) -> str:
    """Return the sizes as text: each image, what it alone has, and all together."""
    count: dict[str, int] = {}
    for layer in (layer for image in images for layer in image.layers):
        count[layer.chain] = count.get(layer.chain, 0) + 1
    lines = [f"{'image':40} {'size':>10} {'its own':>10} {'compressed':>11}"]
    for image in images:
        own = sum(layer.size for layer in image.layers if count[layer.chain] == 1)
        packed = [layer.compressed for layer in image.layers]
        lines.append(f"{image.tag:40} {_mb(image.size):>10} {_mb(own):>10} {_packed(packed):>11}")
    every = {layer.chain: layer.compressed for image in images for layer in image.layers}
    lines.append(
        f"{'together, shared layers once':40} {_mb(unique_bytes(images)):>10} {'':10} "
        f"{_packed(every.values()):>11}"
    )
    return "\n".join(lines)


def _packed(sizes: Iterable[int | None]) -> str:
    known = list(sizes)
    return "" if None in known else _mb(sum(size or 0 for size in known))


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def read_images(client: str, tags: Sequence[str], *, compressed: bool = False) -> list[Image]:
    """Ask docker for these images.

    Raises:
        PermanentError: docker's history and list of layers contradict each other.
    """
    packed = _compress(client, tags) if compressed and tags else {}
    return [_read(client, tag, packed) for tag in tags]


def _read(client: str, tag: str, packed: Mapping[str, int]) -> Image:
    facts = json.loads(_output(client, "image", "inspect", tag))[0]
    diffs = facts["RootFS"]["Layers"]
    lines = _output(
        client, "history", "--no-trunc", "--human=false", "--format", "{{json .}}", tag
    ).splitlines()
    steps = [json.loads(line) for line in reversed(lines)]
    sizes = [int(s["Size"]) for s in steps if s["CreatedBy"].startswith(_MAKES_LAYER)]
    if len(sizes) != len(diffs):
        raise PermanentError(f"{tag} was not built by images/*.Dockerfile; run `make images`")
    layers = [
        Layer("".join(diffs[: n + 1]), size, packed.get(diff) if packed else None)
        for n, (diff, size) in enumerate(zip(diffs, sizes, strict=True))
    ]
    digests = facts.get("RepoDigests") or [facts["Id"]]
    return Image(tag, digests[0].rpartition("@")[2], tuple(layers))


def _compress(client: str, tags: Sequence[str]) -> dict[str, int]:
    """Return each layer's size as a registry stores it, by the digest of its uncompressed bytes."""
    order: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    links: dict[str, str] = {}
    process = subprocess.Popen([client, "save", *tags], stdout=subprocess.PIPE)
    with process, tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            if member.issym():  # the layer that another image brought already
                links[member.name] = posixpath.normpath(
                    posixpath.join(posixpath.dirname(member.name), member.linkname)
                )
                continue
            file = archive.extractfile(member)
            if file is None:
                continue
            if member.name == "manifest.json":
                for entry in json.load(file):
                    order[entry["RepoTags"][0]] = entry["Layers"]
            elif not member.name.endswith(".json"):
                sizes[member.name] = _gzipped(file)
    packed: dict[str, int] = {}
    for tag in tags:
        facts = json.loads(_output(client, "image", "inspect", tag))[0]
        packed.update(
            zip(
                facts["RootFS"]["Layers"], (sizes[links.get(n, n)] for n in order[tag]), strict=True
            )
        )
    return packed


class _Counter:
    """A file that only counts what is written to it."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""


def _gzipped(file: IO[bytes]) -> int:
    counter = _Counter()
    with gzip.GzipFile(fileobj=counter, mode="wb", compresslevel=6) as packer:
        while data := file.read(1 << 20):
            packer.write(data)
    return counter.size


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermanentError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[:300]}")
    return done.stdout
