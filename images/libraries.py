"""Which libraries lie in which layer of which image, and how do they get there?

Images share layers, and a layer is shared only where every layer below it is the same. So the
libraries of all images are one trunk of six layers, of which an image takes the lowest ones up to
the last it needs, and branches on top. An image therefore carries some that its own
``pyproject.toml`` does not list, where a second copy of a large one would make all images together
bigger. Versions and hashes are those of ``uv.lock``; nothing is resolved here.

``python -m images.libraries UV`` runs in a build stage: it writes each layer below ``/layers``
once, and ``/images/<image>/<number>`` as a link to the layer that an image takes at that place.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from images.elf import drop_sections
from images.trim import compile_tree, remove, set_times

__all__ = ["BRANCHES", "TRUNK", "Lock", "layers_of", "members"]

TRUNK: Final[Mapping[str, tuple[str, ...]]] = {
    "records": ("numpy", "pydantic", "rfc8785"),
    "store": ("minio", "cryptography", "pyyaml", "jinja2"),
    "inference": ("onnxruntime",),
    "rows": ("pyarrow",),
    "science": ("scipy",),
    "learning": ("scikit-learn",),
}
"""Layers from the lowest to the highest, each with the libraries that bring their own.

Inference lies below rows, so that serving, which reads no Parquet, goes without pyarrow.
"""

BRANCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes": ("kubernetes",),
    "web": ("starlette", "uvicorn", "httptools", "uvloop", "prometheus-client"),
}
"""Layers on top of the trunk, for the images that list one of their libraries."""

PLACES: Final = len(TRUNK) + len(BRANCHES) + 1
"""Layers of libraries in an image; the last one holds what no other image has."""

UNUSED: Final = """
    .lock bin **/tests **/*.pxd **/*.pyx **/*.pxi **/*.pyi **/*.h **/*.hpp **/*.c **/*.cc **/*.a
    Crypto/IO Crypto/PublicKey Crypto/SelfTest Crypto/Signature joblib/test kubernetes/e2e_test
    numpy/distutils onnx/backend/test onnx/test onnxruntime/capi/libonnxruntime.so.*
    onnxruntime/datasets onnxruntime/quantization onnxruntime/tools onnxruntime/transformers
    pyarrow/*flight* pyarrow/*s3* pyarrow/_pyarrow_cpp_tests* pyarrow/include pyarrow/libarrow*.so
    pyarrow/libarrow_python*.so.*.*.* pyarrow/src sklearn/datasets/data sklearn/datasets/images
"""
"""Patterns of what no process of ours loads: headers, tests, second copies, other file systems."""

SITE: Final = Path("opt/venv/lib/python3.11/site-packages")


@dataclass(frozen=True)
class Lock:
    """What ``uv.lock`` knows, as a graph."""

    packages: Mapping[str, Mapping[str, Any]] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> "Lock":
        """Parse the file's text."""
        return cls({package["name"]: package for package in tomllib.loads(text)["package"]})

    def closure(self, roots: Iterable[str]) -> frozenset[str]:
        """Return the names of everything that the roots bring; a root may carry extras."""
        todo = [_split(root) for root in roots]
        seen: set[tuple[str, str]] = set()
        while todo:
            name, extras = todo.pop()
            package = self.packages[name]
            for extra in ("", *extras):
                if (name, extra) in seen:
                    continue
                seen.add((name, extra))
                optional = package.get("optional-dependencies", {})
                found = optional.get(extra, ()) if extra else package.get("dependencies", ())
                todo += [(entry["name"], tuple(entry.get("extra", ()))) for entry in found]
        return frozenset(name for name, _ in seen)


def _split(root: str) -> tuple[str, tuple[str, ...]]:
    name, _, extras = root.rstrip("]").partition("[")
    return name, tuple(extras.split(",")) if extras else ()


def members(root: Path) -> dict[str, str]:
    """Return every image's name as a folder is named, with its name in the lock."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    patterns = project["tool"]["uv"]["workspace"]["members"]
    files = sorted(file for p in patterns for file in root.glob(f"{p}/pyproject.toml"))
    return {file.parent.name: tomllib.loads(file.read_text())["project"]["name"] for file in files}


def layers_of(lock: Lock, member: str) -> list[tuple[str, frozenset[str]]]:
    """Return an image's layers from the lowest, each as its name and the libraries in it.

    The list always has ``PLACES`` entries; an entry without libraries is an empty layer.
    """
    needed = lock.closure([member]) - {member}
    last = max(n for n, roots in enumerate(TRUNK.values()) if needed & _names(roots))
    layers: list[tuple[str, frozenset[str]]] = []
    below: frozenset[str] = frozenset()
    for place, (name, roots) in enumerate(TRUNK.items()):
        taken = lock.closure(roots) - below if place <= last else frozenset()
        layers.append((name if taken else "", taken))
        below |= taken
    floor = lock.closure([*TRUNK["records"], *TRUNK["store"]])  # below every branch
    for name, roots in BRANCHES.items():
        taken = lock.closure(roots) - floor if needed & _names(roots) else frozenset()
        layers.append((name if taken else "", taken))
    own = needed.difference(*(libraries for _, libraries in layers))
    return [*layers, (member if own else "", frozenset(own))]


def _names(roots: Iterable[str]) -> set[str]:
    return {_split(root)[0] for root in roots}


def main(root: Path, uv: str) -> None:
    """Install every layer that some image takes."""
    lock = Lock.read((root / "uv.lock").read_text())
    pins = _pins(root, uv)
    layers, images = Path("/layers"), Path("/images")
    (layers / "empty").mkdir(parents=True)
    for image, member in members(root).items():
        (images / image).mkdir(parents=True)
        for place, (name, libraries) in enumerate(layers_of(lock, member), start=1):
            (images / image / str(place)).symlink_to(layers / (name or "empty"))
            site = layers / name / SITE
            if name and not site.exists():
                site.mkdir(parents=True)
                _install(uv, site, "\n".join(pins[library] for library in sorted(libraries)))
                for path in [p for pattern in UNUSED.split() for p in site.glob(pattern)]:
                    remove(path)
                for path in site.rglob("*.so*"):
                    drop_sections(path)
                compile_tree(site, root=layers / name, sources=False)
                set_times(layers / name)
    set_times(layers)


def _pins(root: Path, uv: str) -> dict[str, str]:
    """Return each library's lines of a requirements file: version, marker and hashes."""
    command = [uv, "export", "--frozen", "--all-packages", "--no-dev", "--no-emit-workspace"]
    text = subprocess.run(  # noqa: S603 - the pinned uv
        [*command, "--no-header", "--no-annotate", "--quiet"],
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    pins: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            name = line.partition("==")[0].partition("[")[0]
        pins[name] = f"{pins[name]}\n{line}" if name in pins else line
    return pins


def _install(uv: str, site: Path, requirements: str) -> None:
    command = [uv, "pip", "install", "--quiet", "--no-config", "--python", sys.executable]
    exact = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirements", "-"]
    subprocess.run(  # noqa: S603 - the pinned uv
        [*command, "--target", str(site), *exact], input=requirements, check=True, text=True
    )


if __name__ == "__main__":
    main(Path.cwd(), sys.argv[1])
