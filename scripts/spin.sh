#!/usr/bin/env bash
# Bring spin capture into .venv: PyAV reads videos, OpenCV finds the sheet's markers (docs/decisions/0061-spin-capture.md).
# What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*"; }

sum=$(cksum <requirements-spin.txt)
grep -qsxF "$sum" .venv/spin && exit 0
say "installing spin capture, 100 MB"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-spin.txt || {
    say "spin capture could not be installed; acr3d works without, and \`make spin\` tries again"
    exit 1
}
echo "$sum" >.venv/spin
say "spin capture is ready"
