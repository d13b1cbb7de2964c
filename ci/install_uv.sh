#!/bin/sh
# Put a pinned uv into .tools/uv. Its wheel is kept in the user's cache, so that a second clone
# needs no network. Called by the Makefile.
set -eu
version=0.13.9
cache="${XDG_CACHE_HOME:-$HOME/.cache}/modelwarrant/uv-$version"
python="${PYTHON:-python3}"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "modelwarrant needs Python 3.11 or later; set PYTHON=/path/to/python3.11" >&2; exit 2; }
"$python" -m venv .tools/uv
if ! ls "$cache"/uv-*.whl >/dev/null 2>&1; then
    mkdir -p "$cache"
    .tools/uv/bin/python -m pip download --quiet --no-deps --dest "$cache" "uv==$version"
fi
.tools/uv/bin/python -m pip install --quiet --no-index --find-links "$cache" "uv==$version"
