"""The second file that any glTF reader can show. It is for Android's Scene Viewer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acr3d.gltf.inspect import inspect
from acr3d.gltf.model import Model
from acr3d.gltf.validate import validate
from acr3d.gltf.write import write_glb
from acr3d.optimize.decoding_budget import DecodingBudget
from acr3d.optimize.deviation import measure_deviation, why_too_far_off
from acr3d.optimize.geometry_steps import run_geometry_steps
from acr3d.optimize.presets import CoreLevel
from acr3d.optimize.report import (
    Report,
    describe_deviation,
    describe_images,
    describe_model,
    simplify_warnings,
)
from acr3d.optimize.steps import core_gltf, real_size
from acr3d.optimize.steps.dedup import dedup
from acr3d.optimize.steps.real_size import Placement, PlacementRequest, matrix_of
from acr3d.optimize.steps.texture_compress import image_jobs, run_job, store_images
from acr3d.optimize.verify import expected_facts, verify_result


def write_scene_viewer_glb(source: Path, target: Path, level: CoreLevel, request: PlacementRequest) -> Report:
    """Write `source` in core glTF to `target`. Returns its report, or `left_out`: why there is no such file.

    Raises BadModel.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        report = _write(source, part, level, request)
        if "left_out" in report and report.get("triangles_removed"):
            # Fewer triangles changed the shape, so all of them stay.
            report = _write(source, part, replace(level, most_triangles=None), request)
        report.pop("triangles_removed", None)
        if "left_out" not in report:
            part.replace(target)
        return report
    finally:
        part.unlink(missing_ok=True)


def _write(source: Path, part: Path, level: CoreLevel, request: PlacementRequest) -> Report:
    with Model(source) as model:
        validate(model)
        before = inspect(model)
        placement = real_size.plan_placement(model.json, before, request)
        core_gltf.use_meshopt_fallbacks(model)
        why_not = core_gltf.why_not_core(model)
        if why_not is not None:
            return {"left_out": f"{why_not}."}
        dedup(model)
        geometry = run_geometry_steps(model, level.most_triangles, None)
        core_gltf.dequantize(model)
        core_gltf.use_core_textures(model)
        jobs, budget = image_jobs(model, level.textures), DecodingBudget()
        images = store_images(model, jobs, [run_job(model, job, budget) for job in jobs])
        if any(each.after.format == "webp" for each in images):
            return {"left_out": "a texture could not be stored as JPEG or PNG."}
        core_gltf.drop_replaced_extensions(model)
        expected = expected_facts(before, model, geometry.removed)
        if isinstance(placement, Placement):
            expected = placement.applied_to(expected)
            real_size.apply_placement(model.json, placement)
        length = write_glb(model, part)
    problem, after = verify_result(expected, part)
    measured = (source, part, before.longest_side, geometry.origins, matrix_of(placement))
    deviation = None if problem else measure_deviation(*measured)
    if geometry.simplify.removed:
        problem = problem or why_too_far_off(deviation)
    if problem is not None:
        why = f"it did not match the source: {problem}."
        return {"left_out": why, "triangles_removed": geometry.simplify.removed}
    return describe_model(after) | {
        "bytes": length,
        "maps": describe_images(images),
        "truth": describe_deviation(deviation, after.longest_side) if deviation else None,
        "warnings": simplify_warnings(geometry),
    }
