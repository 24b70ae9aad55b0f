"""meshoptimizer's simplifier, from the optional package almeshopt (`make meshopt`).

`simplifyWithAttributes` collapses edges by quadric error (Garland and Heckbert 1997) with Hoppe's quadrics
for attributes (1999). Why almeshopt is optional: docs/decisions/0028-optimizer-levels.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.optimize.simplifier_input import extreme_vertices, weighted_attributes


def is_available() -> bool:
    """Whether almeshopt is installed and this processor can run its only build, which needs AVX2."""
    try:
        if " avx2 " not in Path("/proc/cpuinfo").read_text():
            return False
        import almeshopt  # noqa: F401 - importing it on another processor would crash
    except (ImportError, OSError):
        return False
    return True


def simplify(
    faces: NDArray[np.uint32], attributes: dict[str, Array], wanted: int, most_error: float
) -> NDArray[np.uint32]:
    """Reduce `faces` (n, 3) to about `wanted` triangles that use some of the same vertices.

    `most_error`: the largest error of a collapse as a share of the mesh's longest side; errors of attributes
    count too.
    """
    import almeshopt

    positions, columns = weighted_attributes(attributes)
    weights = np.ones(columns.shape[1], np.float32)
    if not len(weights):  # almeshopt wants at least one column
        columns, weights = np.zeros((len(positions), 1), np.float32), np.zeros(1, np.float32)
    locked = np.zeros(len(positions), np.uint8)
    locked[extreme_vertices(positions)] = 1
    found, _ = almeshopt.simplify_with_attributes(
        np.ascontiguousarray(faces).reshape(-1),
        positions,
        np.ascontiguousarray(columns),
        weights,
        3 * wanted,
        target_error=most_error,
        vertex_lock=locked,
    )
    fewer = np.asarray(found, np.uint32).reshape(-1, 3)
    return fewer if fewer.max(initial=0) < len(positions) else faces
