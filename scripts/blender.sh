#!/usr/bin/env bash
# Make .venv-blender: Blender as a Python module, apart from .venv because it needs an older numpy.
# What was made from the same lock file is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*"; }
stop() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

sum=$(cksum <requirements-blender.txt)
grep -qsxF "$sum" .venv-blender/made && .venv-blender/bin/python -c '' 2>/dev/null && exit 0

python=${BLENDER_PYTHON:-python3.11}
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    stop "Blender needs Python 3.11 with venv; the optimizer works without, but bakes no detail at level light."
say "making .venv-blender (about 1 GB)"
rm -rf .venv-blender
"$python" -m venv .venv-blender
.venv-blender/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-blender.txt
.venv-blender/bin/python -c 'import bpy' >/dev/null || stop "Blender does not start here."
echo "$sum" >.venv-blender/made
