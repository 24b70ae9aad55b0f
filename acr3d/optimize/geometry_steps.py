"""The geometry steps of a level in their order: decode, unshare, weld, simplify, encode."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import total_triangles
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.primitive_groups import used_array_bytes
from acr3d.optimize.steps.convert_primitive_mode import convert_to_triangle_lists
from acr3d.optimize.steps.draco_decode import DecodedStreams, draco_decode, restore_streams
from acr3d.optimize.steps.draco_encode import DracoResult, draco_encode
from acr3d.optimize.steps.normal_bake import BakeResult
from acr3d.optimize.steps.simplify import Record, SimplifyResult, simplify
from acr3d.optimize.steps.unshare import unshare_vertices
from acr3d.optimize.steps.weld import WeldResult, weld


@dataclass
class GeometryResult:
    """What each step did.

    `decoded`: bytes of Draco streams, strips and shared arrays, and of the arrays that they became.
    `bake` is None if the level bakes no normals.
    """

    decoded: tuple[int, int] = (0, 0)
    weld: WeldResult = field(default_factory=WeldResult)
    simplify: SimplifyResult = field(default_factory=SimplifyResult)
    draco: DracoResult = field(default_factory=DracoResult)
    bake: BakeResult | None = None

    @property
    def degenerate(self) -> int:
        """Removed triangles without area."""
        return self.weld.degenerate + self.draco.degenerate

    @property
    def removed(self) -> int:
        """All removed triangles."""
        return self.degenerate + self.simplify.removed


def run_geometry_steps(
    model: Model,
    most_triangles: int | None,
    draco: DracoOptions | None,
    record: Record | None = None,
) -> GeometryResult:
    """Run the steps; changes `model`. Without `draco` the arrays stay plain.

    `record` is told of every mesh that is simplified.
    """
    result, streams = GeometryResult(), DecodedStreams()
    is_simplified = most_triangles is not None and total_triangles(model.json) > most_triangles
    if can_renumber(model.json):
        if is_simplified or not draco:
            streams = draco_decode(model)
        unshared = _unshare(model) if is_simplified or draco else (0, 0)
        result.decoded = streams.bytes_before + unshared[0], streams.bytes_after + unshared[1]
    result.weld = weld(model)
    if most_triangles:
        result.simplify = simplify(model, most_triangles, record)
    if draco:
        result.draco = draco_encode(model, draco)
        _restore(model, streams, result.draco)
    return result


def _unshare(model: Model) -> tuple[int, int]:
    """Give every part a triangle list and its own arrays; return the bytes before and after, if changed."""
    before = used_array_bytes(model)
    convert_to_triangle_lists(model)
    unshare_vertices(model)
    after = used_array_bytes(model)
    return (before, after) if before != after else (0, 0)


def _restore(model: Model, streams: DecodedStreams, result: DracoResult) -> None:
    """Put back the original streams of primitives that were not encoded again and have lost nothing."""
    for place, plain, packed in restore_streams(model, streams):
        result.bytes_before += plain
        result.bytes_after += packed
        result.left_alone = [each for each in result.left_alone if not each.startswith(f"{place},")]
