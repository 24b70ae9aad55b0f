"""Starting Blender, if it is installed, as a child process with its own interpreter and limits.

`make blender` installs it into `.venv-blender/`, because `bpy` does not work with the numpy that acr3d needs
(docs/decisions/0027-optimizer-blender.md).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d import sandbox
from acr3d.gltf.accessors import Array

_HOME = Path(__file__).parents[3] / ".venv-blender"
_SECONDS = 100
# Measured with 140,000 triangles: 580 MB at 1024², 1270 MB at 2048².
_BASE_MB, _MB_PER_MEGAPIXEL = 400, 250


@dataclass(frozen=True)
class BakeMesh:
    """`positions`, `normals` (m, 3) and `uv` (m, 2) of the vertices, and triangles `faces` (n, 3)."""

    positions: Array
    normals: Array
    uv: Array
    faces: NDArray[np.uint32]


def why_unavailable() -> str | None:
    """Why Blender cannot be used, as a sentence; None if it can."""
    return (
        None
        if (_HOME / "made").is_file()
        else "Blender is not installed on this server. `make blender` installs it."
    )


def bake_normal_map(full: BakeMesh, reduced: BakeMesh, normals: Image.Image, threads: int) -> Image.Image:
    """The normal map that makes `reduced` look like `full` with its map `normals`; of the same size.

    Raises sandbox.ChildError if it takes too long or too much memory, or crashes.
    """
    needed = _BASE_MB + round(_MB_PER_MEGAPIXEL * normals.width * normals.height / 2**20)
    if _free_mb() < needed:
        raise sandbox.ChildCrashed(f"Baking needs {needed} MB of free memory.")
    limits = sandbox.Limits(_SECONDS, needed, threads=threads)
    with tempfile.TemporaryDirectory(prefix="acr3d-bake-") as name:
        folder = Path(name)
        normals.save(folder / "normal.png", compress_level=1)
        for what, mesh in (("full", full), ("reduced", reduced)):
            np.savez(folder / f"{what}.npz", **vars(mesh))
        python = str(_HOME / "bin" / "python")
        sandbox.run(
            "acr3d.optimize.blender", [name], limits, reads=[], folder=folder, lock=None, python=python
        )
        with Image.open(folder / "baked.png", formats=["PNG"]) as picture:
            return picture.convert("RGB")


def _free_mb() -> int:
    """The memory that is available on this machine, in MB."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) >> 10
