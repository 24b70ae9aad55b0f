#!/usr/bin/env bash
# Make .venv and the front-end copies. Argument: "run" for the app alone, "test" for the tests as well.
# What was made from the same lock files is left alone; what was broken off is made again.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-run}

say() { printf 'set-up: %s\n' "$*"; }
stop() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

# The lock files' checksum, after the kind: "test" covers "run".
is_made() { grep -qsxE "($kind|test) $2" "$1"; }

# --- Python ---

usable() { command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if usable "$name"; then echo "$name"; return; fi
    done
    return 1
}

# Debian keeps venv in a package of its own.
install_python() {
    say "no Python of version 3.11 or later that can make a venv is here${PYTHON:+ under the name $PYTHON}; trying apt"
    [ -z "${PYTHON:-}" ] && scripts/apt-install.sh python3 python3-venv ||
        stop "install Python 3.11 or later with venv (on Debian: apt install python3 python3-venv), or name one: make PYTHON=python3.12"
}

make_venv() {
    local python
    python=$(find_python) && "$python" -c 'import venv, ensurepip' 2>/dev/null || install_python
    python=$(find_python) || stop "Python 3.11 or later is needed; the newest found is $(python3 --version 2>&1)."
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    mkdir .venv
    touch .venv/unfinished
    "$python" -m venv .venv
}

set_up_python() {
    local sum requirements
    sum=$(cat requirements.txt requirements-dev.txt | cksum)
    is_made .venv/made "$sum" && .venv/bin/python -c '' 2>/dev/null && return
    # A venv that is broken off, or whose Python has gone from the machine, is no ground to build on.
    if [ -e .venv/unfinished ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then make_venv; fi
    requirements=requirements.txt
    [ "$kind" = test ] && requirements=requirements-dev.txt
    say "installing $requirements"
    rm -f .venv/made
    touch .venv/unfinished
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
    echo "$kind $sum" >.venv/made
    rm .venv/unfinished
}

# OpenUSD has wheels for most machines; without it, iPhones get a USDZ that the browser makes. What failed is
# tried again by the next set-up, unless there is no package for this machine; `make usdz` tries that again too.
set_up_usdz() {
    local sum said
    sum=$(cksum <requirements-usdz.txt)
    grep -qsxF "$sum" .venv/usdz && return
    if said=$(.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes -r requirements-usdz.txt 2>&1); then
        echo "$sum" >.venv/usdz
    elif grep -q "No matching distribution" <<<"$said"; then
        say "there is no OpenUSD for this machine, so no USDZ files are made."
        echo "$sum" >.venv/usdz
    else
        say "OpenUSD could not be installed, so no USDZ files are made; the next set-up tries again: $(tail -n 1 <<<"$said")"
    fi
}

# --- front-end files ---

install_packages() {
    local sum omit=()
    sum=$(cat package.json package-lock.json .npmrc | cksum)
    is_made node_modules/made "$sum" && return
    [ "$kind" = run ] && omit=(--omit=dev)
    say "fetching the front-end files"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "${omit[@]}" >/dev/null || return
    echo "$kind $sum" >node_modules/made
}

set_up_front_end() {
    if command -v npm >/dev/null; then
        install_packages || say "npm could not fetch the front-end files."
    else
        say "Node.js is not here; pages load the front-end files that are missing from a CDN."
        return
    fi
    .venv/bin/python -m acr3d.web.vendor || [ "$kind" = run ]
}

set_up_python
set_up_usdz
# Children write nothing beside their own folder, so they would compile the code again each time.
.venv/bin/python -m compileall -q acr3d
set_up_front_end
