"""What does a Python image lose before anything of ours is put on it?

Runs as root in a build stage made from ``BASE`` and removes in place: package managers, Perl, pip,
tests, documents and caches. What stays is libc, Python, a POSIX shell and coreutils to look around
with, certificates and time zones. Debian's package list is cut to what stays, so that a scanner
of the image sees the truth. Works on the official image (Python in /usr/local) and on Debian's own.
"""

import compileall
import os
import py_compile
import re
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

KEPT = """
    base-files base-passwd ca-certificates coreutils dash gcc-12-base libacl1 libattr1
    libbz2-1.0 libc-bin libc6 libcrypt1 libexpat1 libffi8 libgcc-s1 libgmp10 libgomp1 liblzma5
    libmd0 libpcre2-8-0 libpython3-stdlib libpython3.11-minimal libpython3.11-stdlib libselinux1
    libssl3 libstdc++6 libuuid1 libzstd1 media-types netbase python3 python3-minimal python3.11
    python3.11-minimal tzdata zlib1g
"""
"""Debian packages that stay; names that an image lacks do no harm."""

VENV = Path("/opt/venv")
"""Where the libraries of every image lie, wherever the base has its Python."""

USER = 65532
EPOCH = 1704067200
"""Time of every file: they tell nothing of when and where the image was built."""

COMMANDS = """
    cat chmod cp date dash df du env head id ln ls mkdir mv printenv pwd rm sh sha256sum sleep sort
    stat tail test touch tr true false uname wc
"""
"""Programs that stay beside Python, for a look around in a running container."""

_MOUNTED = {Path("/etc/hosts"), Path("/etc/hostname"), Path("/etc/resolv.conf")}
"""Files that the builder lays over the image's own, read-only."""

_STDLIB_UNUSED = """
    __phello__ config-3* curses dbm distutils ensurepip idlelib lib-dynload/_curses*
    lib-dynload/_dbm* lib-dynload/_gdbm* lib-dynload/_sqlite3* lib-dynload/_test*
    lib-dynload/_tkinter* lib-dynload/_xx* lib-dynload/readline* lib2to3 pydoc_data
    site-packages sqlite3 test tkinter turtle.py turtledemo
"""

_PATHS_UNUSED = """
    etc/alternatives etc/apt etc/cron* etc/dpkg etc/logrotate.d etc/ssl/certs/*.0
    etc/ssl/certs/*.pem etc/systemd root/.* run/* tmp/* usr/games usr/include usr/lib/*/gconv
    usr/lib/*/perl-base usr/lib/python3 usr/local/bin/*-config usr/local/bin/2to3*
    usr/local/bin/idle* usr/local/bin/pip* usr/local/bin/pydoc* usr/local/bin/wheel
    usr/local/include usr/local/lib/libpython*.a usr/local/lib/pkgconfig
    usr/local/lib/python3.*/dist-packages usr/local/share usr/share/bash-completion
    usr/share/bug usr/share/ca-certificates usr/share/gcc usr/share/info usr/share/lintian
    usr/share/locale usr/share/man usr/share/python3 usr/share/zoneinfo/right usr/src
    var/backups/* var/cache/* var/lib/apt var/log/*
"""


def trim() -> None:
    """Trim this file system."""
    make_room()
    remove_packages(Path("/var/lib/dpkg"))
    stdlib = Path(sysconfig.get_path("stdlib"))
    for path in (p for pattern in _STDLIB_UNUSED.split() for p in stdlib.glob(pattern)):
        remove(path)
    for path in (p for pattern in _PATHS_UNUSED.split() for p in Path("/").glob(pattern)):
        remove(path)
    for path in Path("/usr/share/doc").rglob("*"):
        if path.name != "copyright" and not path.is_dir():
            remove(path)
    keep_commands(Path("/usr/bin"), Path("/usr/sbin"), Path("/usr/local/bin"))
    compile_tree(stdlib, sources=False)
    for folder in ("/usr", "/etc", "/opt", "/var", "/root", "/app", "/cache"):
        set_times(Path(folder))


def make_room() -> None:
    """Make the folders of ours, and the environment that the libraries go into."""
    venv.EnvBuilder(symlinks=True).create(VENV)
    for script in (*VENV.glob("bin/[Aa]ctivate*"), VENV / "include", VENV / "lib64"):
        remove(script)
    Path("/app").mkdir()
    Path("/cache").mkdir()
    os.chown("/cache", USER, USER)


def remove_packages(dpkg: Path) -> None:
    """Remove the files of every Debian package that does not stay, and cut the list of packages."""
    kept: set[Path] = set()
    lost: set[Path] = set()
    for file in dpkg.glob("info/*.list"):
        stays = file.name.removesuffix(".list").partition(":")[0] in KEPT.split()
        (kept if stays else lost).update(map(_real, file.read_text().splitlines()))
        if not stays:
            file.unlink()
    for path in lost - kept:
        if not path.is_dir():
            path.unlink(missing_ok=True)
    status = dpkg / "status"
    paragraphs = status.read_text().split("\n\n")
    name = re.compile(r"^Package: (\S+)$", re.MULTILINE)
    found = ((name.search(text), text) for text in paragraphs)
    status.write_text("\n\n".join(t for m, t in found if m and m[1] in KEPT.split()) + "\n")
    for file in (*dpkg.glob("*-old"), *dpkg.glob("info/*")):
        if file.suffix not in (".list", ".md5sums") or not file.with_suffix(".list").exists():
            remove(file)


def _real(text: str) -> Path:
    path = Path(text)
    return path.parent.resolve() / path.name  # /bin/x is /usr/bin/x


def remove(path: Path) -> None:
    """Remove a file, a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def keep_commands(*folders: Path) -> None:
    """Remove every program but Python and ``COMMANDS``."""
    for path in (p for folder in folders for p in folder.glob("*")):
        if not path.name.startswith("python3") and path.name not in (*COMMANDS.split(), "python"):
            remove(path)


def compile_tree(tree: Path, *, root: Path = Path("/"), sources: bool = True) -> None:
    """Compile a tree that will lie at the same place below ``/`` as now below ``root``.

    Args:
        tree: folder of modules.
        root: what is cut from the names of files in tracebacks.
        sources: False leaves the compiled modules alone, at half the size: a traceback then has
            their names and lines, but no text.
    """
    for cache in [*tree.rglob("__pycache__")]:
        shutil.rmtree(cache)
    done = compileall.compile_dir(
        tree,
        quiet=1,
        legacy=not sources,
        workers=os.cpu_count() or 1,
        stripdir=str(root),
        prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise SystemExit(f"some module of {tree} does not compile; see above")
    if not sources:
        for path in [*tree.rglob("*.py")]:
            path.unlink()


def set_times(tree: Path) -> None:
    """Give everything in a tree the same time."""
    for folder, folders, files in os.walk(tree):
        for path in (Path(folder, name) for name in (*folders, *files)):
            if path not in _MOUNTED:
                os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    os.utime(tree, (EPOCH, EPOCH))


def main(source: str = "") -> None:
    """Trim this file system, or only compile our own code in a folder of it."""
    if source:
        compile_tree(Path(source))
        set_times(Path(source))
    else:
        trim()


if __name__ == "__main__":
    main(*sys.argv[1:])
