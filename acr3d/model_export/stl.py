"""Binary STL, for printing and for CAD: millimetres, and up is Z, as programs for both expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from acr3d.render.scene import read_scene

_MM_PER_METRE = 1000
_HEADER_BYTES = 80
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def write_stl(source: Path, target: Path) -> dict[str, Any]:
    """Write the triangles of the GLB `source` to `target`; returns what was written. Raises BadModel."""
    scene = read_scene(source, 0)
    x, y, z = (scene.points * _MM_PER_METRE).T
    points = np.column_stack([x, -z, y])
    rows = np.zeros(len(scene.triangles), _TRIANGLE)
    rows["corners"] = corners = points[scene.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    rows["normal"] = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    with target.open("wb") as file:
        # Some readers take a file that begins with "solid" for the text format.
        file.write(b"binary STL, millimetres, Z up".ljust(_HEADER_BYTES))
        file.write(np.uint32(len(rows)).tobytes())
        file.write(rows.tobytes())
    return {"triangles": len(rows), "size_mm": np.ptp(corners.reshape(-1, 3), axis=0).tolist()}
