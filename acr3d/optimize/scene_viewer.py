"""The second file that any glTF reader can show. It is for Android's Scene Viewer."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

from acr3d.gltf.image_decode import fit_within
from acr3d.gltf.inspect import ModelFacts, inspect
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
from acr3d.optimize.steps.texture_compress import ImageJob, image_jobs, run_job, store_images
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
        if report.get("bytes", math.inf) > source.stat().st_size:
            report = _write_source(source, part, level, request, report.get("bytes", math.inf)) or report
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


def _write_source(
    source: Path, part: Path, level: CoreLevel, request: PlacementRequest, most_bytes: float
) -> Report | None:
    """Write the source itself, placed, if any reader can show it and it has fewer than `most_bytes`."""
    smaller = part.with_name(f"{part.name}.source")
    try:
        # Writing it in core glTF has validated the source.
        with Model(source) as model:
            facts = inspect(model)
            longest_side = facts.longest_side
            jobs = image_jobs(model, None)
            if not _is_plain(model, facts, level, jobs):
                return None
            images = store_images(model, jobs, [None] * len(jobs))
            placement = real_size.plan_placement(model.json, facts, request)
            is_placed = isinstance(placement, Placement) and placement.changes_anything
            if is_placed or facts.has_bom:
                if isinstance(placement, Placement):
                    facts = placement.applied_to(facts)
                    real_size.apply_placement(model.json, placement)
                write_glb(model, smaller)
                if verify_result(facts, smaller)[0] is not None:
                    return None
            else:
                shutil.copyfile(source, smaller)
        length = smaller.stat().st_size
        if length >= most_bytes:
            return None
        smaller.replace(part)
    finally:
        smaller.unlink(missing_ok=True)
    deviation = measure_deviation(source, part, longest_side)
    return describe_model(facts) | {
        "bytes": length,
        "maps": describe_images(images),
        "truth": describe_deviation(deviation, facts.longest_side) if deviation else None,
        "warnings": [],
    }


def _is_plain(model: Model, facts: ModelFacts, level: CoreLevel, jobs: list[ImageJob]) -> bool:
    """Whether the source itself is what the file for AR may be."""
    if model.json.get("extensionsRequired"):
        return False
    if facts.triangles > (level.most_triangles or facts.triangles):
        return False
    shown = [texture.get("source") for texture in model.json.get("textures", [])]
    images = [job.facts for job in jobs]
    if None in shown or any(images[at].format not in ("png", "jpeg") for at in shown):
        return False
    side, pixels = level.textures.max_side, level.textures.most_pixels
    is_small = all(fit_within(each, side) == (each.width, each.height) for each in images)
    return is_small and sum(each.width * each.height for each in images) <= (pixels or math.inf)
