"""The file beside a level's own that any glTF reader can show: what Android's Scene Viewer is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from acr3d.gltf.load import checked
from acr3d.gltf.model import Model
from acr3d.gltf.prune import keep_used_textures
from acr3d.gltf.write import write_glb
from acr3d.optimize.presets import CoreLevel
from acr3d.optimize.report import Report, describe, describe_maps
from acr3d.optimize.steps import core_gltf, real_size
from acr3d.optimize.steps.geometry_steps import shape
from acr3d.optimize.steps.orientation import Turn
from acr3d.optimize.steps.real_size import Placement
from acr3d.optimize.steps.texture_compress import DecodingBudget
from acr3d.optimize.steps.textures import map_jobs, run_job, store_maps
from acr3d.optimize.verify import verify_result


@dataclass(frozen=True)
class Position:
    """How the model is to stand: a turn, and the part's sides."""

    size: real_size.RealSize = real_size.UNKNOWN
    turn: Turn | None = None


def make_ar(source: Path, target: Path, level: CoreLevel, position: Position) -> Report:
    """Write `source` in core glTF to `target`; return what it is, or `left_out`: why there is no such file.

    Raises BadModel.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with Model(source) as model:
            before = checked(model)
            placement = real_size.plan(model.json, before, position.size, position.turn)
            why_not = core_gltf.why_not_core(model)
            if why_not is not None:
                return {"left_out": f"{why_not}."}
            keep_used_textures(model.json)
            removed = shape(model, level.most_triangles, None).removed
            core_gltf.use_core_types(model)
            core_gltf.use_plain_textures(model)
            jobs, budget = map_jobs(model, level.textures), DecodingBudget()
            maps = store_maps(model, jobs, [run_job(model, job, budget) for job in jobs])
            if any(each.after.format == "webp" for each in maps):
                return {"left_out": "a map could not be stored as JPEG or PNG."}
            core_gltf.require_nothing(model)
            expected = replace(before, triangles=before.triangles - removed)
            if isinstance(placement, Placement):
                expected = placement.moved(expected)
                real_size.place(model.json, placement)
            write_glb(model, part)
        lost, after = verify_result(expected, part)
        if lost is not None:
            return {"left_out": f"it was not true to the source: {lost}."}
        part.replace(target)
        return describe(after) | {"bytes": target.stat().st_size, "maps": describe_maps(maps)}
    finally:
        part.unlink(missing_ok=True)
