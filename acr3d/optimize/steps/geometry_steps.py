"""The geometry steps of a level, one after the other: unpack, weld and clean, simplify, compress."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.draco_decode import Unpacked, restore, unpack
from acr3d.gltf.model import Model
from acr3d.gltf.prune import may_renumber
from acr3d.optimize.primitive_groups import live_bytes
from acr3d.optimize.steps import simplify
from acr3d.optimize.steps.draco_encode import GeometryResult, compress_geometry
from acr3d.optimize.steps.draco_stream import DracoOptions
from acr3d.optimize.steps.normal_bake import Detail
from acr3d.optimize.steps.simplify import Reduce, SimplifyResult
from acr3d.optimize.steps.triangle_lists import use_triangle_lists
from acr3d.optimize.steps.unshare import split_shared
from acr3d.optimize.steps.weld import CleanResult, clean


@dataclass
class Shaped:
    """What each step did; `unpacked` are the bytes of streams, strips and shared arrays, then and now.

    `detail` is None where the level bakes none.
    """

    unpacked: tuple[int, int] = (0, 0)
    clean: CleanResult = field(default_factory=CleanResult)
    simplify: SimplifyResult = field(default_factory=SimplifyResult)
    geometry: GeometryResult = field(default_factory=GeometryResult)
    detail: Detail | None = None

    @property
    def degenerate(self) -> int:
        """Triangles without any area that are gone."""
        return self.clean.degenerate + self.geometry.degenerate

    @property
    def removed(self) -> int:
        """All triangles that are gone."""
        return self.degenerate + self.simplify.removed

    @property
    def left_alone(self) -> list[str]:
        return self.simplify.left_alone + self.geometry.left_alone


def shape(
    model: Model, most_triangles: int | None, draco: DracoOptions | None, reduce: Reduce | None = None
) -> Shaped:
    """Take the steps; changes `model`. Without `draco` the arrays stay plain, without `reduce` it is ours."""
    shaped, unpacked = Shaped(), Unpacked()
    is_reduced = bool(most_triangles) and simplify.can_reduce(model, most_triangles or 0, reduce)
    if may_renumber(model.json):
        if is_reduced or not draco:
            unpacked = unpack(model)
        split = _split(model) if is_reduced or draco else (0, 0)
        shaped.unpacked = unpacked.bytes_before + split[0], unpacked.bytes_after + split[1]
    shaped.clean = clean(model)
    if most_triangles:
        shaped.simplify = simplify.simplify(model, most_triangles, reduce)
    if draco:
        shaped.geometry = compress_geometry(model, draco)
        _restore(model, unpacked, shaped.geometry)
    return shaped


def _split(model: Model) -> tuple[int, int]:
    """Triangle lists of their own for all; what the arrays took before and after, where that changed."""
    before = live_bytes(model)
    use_triangle_lists(model)
    split_shared(model)
    after = live_bytes(model)
    return (before, after) if before != after else (0, 0)


def _restore(model: Model, unpacked: Unpacked, geometry: GeometryResult) -> None:
    """What could not be packed again, and has lost nothing, stays the stream that it was."""
    for place, plain, packed in restore(model, unpacked):
        geometry.bytes_before += plain
        geometry.bytes_after += packed
        geometry.left_alone = [each for each in geometry.left_alone if not each.startswith(f"{place},")]
