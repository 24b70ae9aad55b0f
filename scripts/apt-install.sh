#!/usr/bin/env bash
# Install Debian packages as root or with a sudo that asks nothing; exit 1 when that is not possible.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
as_root=()
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || exit 1
    as_root=(sudo -n --preserve-env=DEBIAN_FRONTEND)
fi
command -v apt-get >/dev/null || exit 1
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null
