"""The geometry steps of a level in their order: decode, join, unshare, weld, simplify, encode."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import total_triangles
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.origins import Origins
from acr3d.optimize.primitive_groups import used_array_bytes
from acr3d.optimize.steps.convert_primitive_mode import convert_to_triangle_lists
from acr3d.optimize.steps.draco_decode import DecodedStreams, draco_decode, restore_streams
from acr3d.optimize.steps.draco_encode import DracoResult, draco_encode
from acr3d.optimize.steps.join import ARRAY_BYTES, STREAM_BYTES, join
from acr3d.optimize.steps.normal_bake import BakeResult
from acr3d.optimize.steps.simplify import Record, SimplifyResult, simplify
from acr3d.optimize.steps.unshare import unshare_vertices
from acr3d.optimize.steps.weld import WeldResult, weld


@dataclass
class GeometryResult:
    """What each step did, and where everything in the result came from.

    `decoded`: bytes of Draco streams, strips, shared and joined arrays, and of what they became.
    `bake` is None if the level bakes no normals.
    """

    origins: Origins
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

    `record` gets every mesh that is simplified.
    """
    result, streams = GeometryResult(Origins.of(model.json)), DecodedStreams()
    is_simplified = most_triangles is not None and total_triangles(model.json) > most_triangles
    triangle_bytes = STREAM_BYTES if draco else ARRAY_BYTES
    if can_renumber(model.json):
        if is_simplified or not draco:
            streams = draco_decode(model)
        before = used_array_bytes(model)
        if not is_simplified:
            result.origins = join(model, triangle_bytes)
        if is_simplified or draco:
            convert_to_triangle_lists(model)
            unshare_vertices(model)
        after = used_array_bytes(model)
        changed = (before, after) if before != after else (0, 0)
        result.decoded = streams.bytes_before + changed[0], streams.bytes_after + changed[1]
    result.weld = weld(model)
    if most_triangles:
        result.simplify = simplify(model, most_triangles, record)
    if is_simplified:
        # Only now, because a small part may change less than the same triangles of a large one.
        result.origins = join(model, triangle_bytes)
    if draco:
        result.draco = draco_encode(model, draco)
        _restore(model, streams, result.draco)
    return result


def _restore(model: Model, streams: DecodedStreams, result: DracoResult) -> None:
    """Put back the original streams of primitives that were not encoded again and have lost nothing."""
    for place, plain, packed in restore_streams(model, streams):
        result.bytes_before += plain
        result.bytes_after += packed
        result.left_alone = [each for each in result.left_alone if not each.startswith(f"{place},")]
