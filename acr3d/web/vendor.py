"""Third-party front-end files: one table holds versions, files and hashes.

`make setup` runs `python -m acr3d.web.vendor`, which copies the files out of node_modules to
static/vendor/<name>-<version>/. A page uses the copy if there is one. Otherwise it links to the same version
on a public CDN, and the browser checks the hash (Subresource Integrity, SRI).

The exception is the Draco decoder: <model-viewer> fetches its files itself from a folder and checks no hash,
so on the CDN only the exact version protects them. Another reason to have the copies.

Standard library only: set-up runs it before anything else is installed.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
COPIES = ROOT / "static" / "vendor"
CDN = "https://cdn.jsdelivr.net"
_DRACO = "examples/jsm/libs/draco/gltf"
VIEWER_BYTES = 363_000
"""What a browser loads beside a model to show it: <model-viewer> and the Draco decoder, compressed."""


@dataclass(frozen=True)
class VendorFile:
    """A file of an npm package: exact version, path inside the package, SRI hash."""

    package: str
    version: str
    path: str
    integrity: str

    @property
    def copy(self) -> str:
        """The path of the copy, relative to static/vendor."""
        return f"{PurePosixPath(self.package).name}-{self.version}/{PurePosixPath(self.path).name}"

    @property
    def on_cdn(self) -> str:
        return f"{CDN}/npm/{self.package}@{self.version}/{self.path}"


FILES = {
    "htmx": VendorFile(
        "htmx.org",
        "2.0.11",
        "dist/htmx.min.js",
        "sha384-2OatzQy1H+Zd/IIrjr1TcuDGqLXeHhbooAyJY1KdQMKnr4LZ22k31GBLdYKHmVjg",
    ),
    "sortable": VendorFile(
        "sortablejs",
        "1.15.7",
        "Sortable.min.js",
        "sha384-DgmC6Xe2bSN2WjTDXzWYbUbxyhNP+NNkGDR/g78pCXV7E7rcVTGxVg0uIVCUUcBc",
    ),
    # The build that bundles three.js. An ES module: <script type="module">.
    "model-viewer": VendorFile(
        "@google/model-viewer",
        "4.4.0",
        "dist/model-viewer.min.js",
        "sha384-wjsPzEO+lXOf7d9csIDfAQpPt2OKuUU3m0K9qsdKIuzX4N8czSF6hdh23eAbZa3p",
    ),
    "draco-decoder": VendorFile(
        "three",
        "0.183.2",
        f"{_DRACO}/draco_decoder.js",
        "sha384-wG64tkvWuEliR5+9A5b6QVaIqYc2x51IXRI4kzolubldLzZfGWTS9WVk6Q6bT3t7",
    ),
    "draco-wasm": VendorFile(
        "three",
        "0.183.2",
        f"{_DRACO}/draco_decoder.wasm",
        "sha384-gJ9GFHPLIX0iGgdYbwba9tNN3lQhBPDtvr64s9owC5NUXLC9oXiSxHT3JqpqgqEY",
    ),
    "draco-wrapper": VendorFile(
        "three",
        "0.183.2",
        f"{_DRACO}/draco_wasm_wrapper.js",
        "sha384-mpx8Y6zmHZEVxr3r2cZhLFOKjJscyKOeHFqkK/LrOh8wC3HGDgGcy6fB37yQntEz",
    ),
}


@dataclass(frozen=True)
class Script:
    """The attributes of a script tag; `integrity` and `crossorigin` are None for our own copy."""

    src: str
    integrity: str | None = None
    crossorigin: str | None = None


def script(name: str) -> Script:
    """The script tag of `name` (htmx, sortable, model-viewer)."""
    file = FILES[name]
    if copied(name):
        return Script(f"/static/vendor/{file.copy}")
    return Script(file.on_cdn, file.integrity, "anonymous")


def draco_location() -> str:
    """The folder, with trailing slash, for `ModelViewerElement.dracoDecoderLocation`."""
    names = [name for name in FILES if name.startswith("draco-")]
    if all(copied(name) for name in names):
        return f"/static/vendor/{PurePosixPath(FILES['draco-wasm'].copy).parent}/"
    return f"{CDN}/npm/three@{FILES['draco-wasm'].version}/{_DRACO}/"


def cdn_in_use() -> bool:
    """Whether any page uses the CDN, so that the content security policy must allow it."""
    return not all(copied(name) for name in FILES)


@functools.cache
def copied(name: str) -> bool:
    """Whether there is a local copy. Checked once per process: set-up runs before the start."""
    return (COPIES / FILES[name].copy).is_file()


def integrity(content: bytes) -> str:
    """The SRI hash of `content`."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def copy_all(packages: Path, copies: Path) -> list[str]:
    """Copy every file of the table from `packages` (a node_modules) to `copies`.

    Copies are atomic. Returns a sentence for each file that could not be copied because it is missing or its
    hash differs from the table.
    """
    return [problem for file in FILES.values() if (problem := _copy(file, packages, copies))]


def _copy(file: VendorFile, packages: Path, copies: Path) -> str | None:
    target = copies / file.copy
    if target.is_file() and integrity(target.read_bytes()) == file.integrity:
        return None
    source = packages / file.package / file.path
    if not source.is_file():
        return f"{file.path} of {file.package} {file.version} is not installed."
    content = source.read_bytes()
    if integrity(content) != file.integrity:
        return f"{file.path} of {file.package} does not match version {file.version}: its hash differs."
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(target)
    return None


if __name__ == "__main__":
    problems = copy_all(ROOT / "node_modules", COPIES)
    sys.exit("\n".join([*problems, f"Pages will load these files from {CDN} instead."]) if problems else 0)
