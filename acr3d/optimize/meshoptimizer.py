"""meshoptimizer's simplifier, from the optional package almeshopt.

`simplifyWithAttributes` collapses edges by quadric error (Garland and Heckbert 1997) with Hoppe's quadrics
for attributes (1999). Why almeshopt is optional: docs/decisions/0028-optimizer-levels.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

# The weight of one unit of a normal, or of the whole texture, relative to the model's size.
_WEIGHTS = {"NORMAL": 0.5, "TEXCOORD_0": 1.0, "COLOR_0": 0.5}


def is_available() -> bool:
    """Whether almeshopt is installed and this processor can run its only build, which needs AVX2."""
    try:
        if " avx2 " not in Path("/proc/cpuinfo").read_text():
            return False
        import almeshopt  # noqa: F401 - importing it on another processor would crash
    except (ImportError, OSError):
        return False
    return True


def simplify(faces: NDArray[np.uint32], attributes: dict[str, Array], wanted: int) -> NDArray[np.uint32]:
    """Reduce `faces` (n, 3) to about `wanted` triangles that use some of the same vertices."""
    import almeshopt

    positions = np.ascontiguousarray(_as_floats(attributes["POSITION"]))
    columns, weights = _weighted_attributes(attributes)
    found, _ = almeshopt.simplify_with_attributes(
        np.ascontiguousarray(faces).reshape(-1),
        positions,
        columns,
        weights,
        3 * wanted,
        target_error=1.0,
        vertex_lock=_extreme_vertices(positions),
    )
    fewer = np.asarray(found, np.uint32).reshape(-1, 3)
    return fewer if fewer.max(initial=0) < len(positions) else faces


def _weighted_attributes(attributes: dict[str, Array]) -> tuple[Array, Array]:
    """The attributes that affect the look, side by side, and the weight of every column."""
    columns = {name: _as_floats(attributes[name]) for name in _WEIGHTS if name in attributes}
    if not columns:
        return np.zeros((len(attributes["POSITION"]), 1), np.float32), np.zeros(1, np.float32)
    weights = [_WEIGHTS[name] for name, values in columns.items() for _ in range(values.shape[1])]
    return np.ascontiguousarray(np.concatenate([*columns.values()], axis=1)), np.array(weights, np.float32)


def _as_floats(values: Array) -> Array:
    """Integers as fractions of their type's range, which is what they usually stand for."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return (values / np.iinfo(values.dtype).max).astype(np.float32)


def _extreme_vertices(positions: Array) -> NDArray[np.uint8]:
    """1 for the outermost vertex in each direction, which is locked so that the model keeps its size."""
    locked = np.zeros(len(positions), np.uint8)
    locked[[*positions.argmin(axis=0), *positions.argmax(axis=0)]] = 1
    return locked
