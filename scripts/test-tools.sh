#!/usr/bin/env bash
# Get what the tests need from outside, where this is allowed. What stays missing the tests name themselves.
set -euo pipefail
cd "$(dirname "$0")"

here() { command -v "$1" >/dev/null; }
has_browser() { here chromium || here chromium-browser || here google-chrome || here google-chrome-stable; }
has_postgres() { [ -n "${ACR3D_TEST_POSTGRES:-}" ] || here initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

missing=()
has_browser || missing+=(chromium)
has_postgres || missing+=(postgresql)
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
here systemd-analyze || missing+=(systemd)
here npm || missing+=(nodejs npm)
[ ${#missing[@]} = 0 ] && exit 0

echo "set-up: installing ${missing[*]}"
./apt-install.sh "${missing[@]}" || echo "set-up: could not install ${missing[*]} (that takes Debian and root); going on without."
