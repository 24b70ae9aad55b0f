"""Say what is not pinned by a hash in the lock files, and exit with 1 if anything is (`make lint`).

Looks at `requirements*.txt`, `package-lock.json`, the front-end files that pages may load from a CDN, and the
commands that install.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from acr3d.web.vendor import FILES, VendorFile

ROOT = Path(__file__).parents[1]
_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[A-Za-z0-9.!+_-]+( ; .+)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_INTEGRITY = re.compile(r"sha(384|512)-[A-Za-z0-9+/]{64,86}={0,2}")


def problems(root: Path, vendor_files: dict[str, VendorFile]) -> Iterator[str]:
    """A sentence for everything that could be exchanged without anybody noticing."""
    locks = sorted(root.glob("requirements*.txt"))
    for name in {"requirements.txt", "requirements-dev.txt"} - {lock.name for lock in locks}:
        yield f"{name} is missing."
    for lock in locks:
        yield from (f"{lock.name}: {problem}" for problem in _of_requirements(lock.read_text()))
    packages = json.loads((root / "package-lock.json").read_text())["packages"]
    yield from (f"package-lock.json: {problem}" for problem in _of_npm(packages))
    yield from _of_vendor_files(vendor_files, packages)
    for script in (root / "Makefile", *sorted((root / "scripts").glob("*.sh"))):
        yield from (f"{script.name}: {problem}" for problem in _of_script(script.read_text()))


def _of_requirements(text: str) -> Iterator[str]:
    joined = text.replace("\\\n", " ").splitlines()
    for line in (line.partition("#")[0].strip() for line in joined):
        words = line.split(" --hash=", 1)
        if not line:
            continue
        if not _PINNED.fullmatch(words[0].strip()):
            yield f"“{words[0].strip()}” names no exact version."
        hashes = line[len(words[0]) :].split()
        if not hashes or not all(map(_HASH.fullmatch, hashes)):
            yield f"“{words[0].strip()}” has no SHA-256."


def _of_npm(packages: dict[str, dict[str, object]]) -> Iterator[str]:
    for place, package in packages.items():
        if not place or package.get("link"):  # the project itself
            continue
        if not _INTEGRITY.fullmatch(str(package.get("integrity"))):
            yield f"{place} has no hash."
        if "resolved" in package:
            yield f"{place} names the address it comes from."


def _of_vendor_files(files: dict[str, VendorFile], packages: dict[str, dict[str, object]]) -> Iterator[str]:
    for name, file in files.items():
        locked = packages.get(f"node_modules/{file.package}", {}).get("version")
        if not _INTEGRITY.fullmatch(file.integrity):
            yield f"acr3d/web/vendor.py: {name} has no hash."
        if locked != file.version:
            yield f"acr3d/web/vendor.py: {name} is {file.version}, in package-lock.json {locked}."


def _of_script(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "pip install" in line and "--require-hashes" not in line:
            yield f"“{line.strip()}” does not ask for hashes."
        if re.search(r"\bnpm (install|i|add)\b(?!.*--package-lock-only)", line):
            yield f"“{line.strip()}” does not keep to package-lock.json; `npm ci` does."


if __name__ == "__main__":
    found = list(problems(ROOT, FILES))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
