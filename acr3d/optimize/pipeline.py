"""The whole pipeline: read, validate, place, compress geometry and images in parallel, write, verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from acr3d.gltf.inspect import ModelFacts, inspect
from acr3d.gltf.model import Model
from acr3d.gltf.orientation import Turn
from acr3d.gltf.validate import validate
from acr3d.gltf.write import write_glb
from acr3d.optimize import meshoptimizer
from acr3d.optimize.blender import bake
from acr3d.optimize.decoding_budget import DecodingBudget
from acr3d.optimize.deviation import Deviation, measure_deviation, why_too_far_off
from acr3d.optimize.geometry_steps import GeometryResult, run_geometry_steps
from acr3d.optimize.malloc import release_memory
from acr3d.optimize.mesh_health import MeshHealth, check_mesh_health
from acr3d.optimize.origins import Origins
from acr3d.optimize.presets import LEVELS, Level
from acr3d.optimize.report import (
    Report,
    describe_bake,
    describe_deviation,
    describe_images,
    describe_model,
    describe_steps,
    model_warnings,
)
from acr3d.optimize.scene_viewer import write_scene_viewer_glb
from acr3d.optimize.steps import real_size
from acr3d.optimize.steps.dedup import dedup
from acr3d.optimize.steps.normal_bake import BakeResult, SimplifiedMesh, bake_normals
from acr3d.optimize.steps.real_size import Placement, PlacementRequest, RealSize, matrix_of
from acr3d.optimize.steps.texture_compress import ImageResult, image_jobs, run_job, store_images
from acr3d.optimize.verify import expected_facts, verify_result

Progress = Callable[[int], None]


def check(source: Path) -> Report:
    """Read and validate a file, decoding every image and stream, without changes. Raises BadModel."""
    with Model(source) as model:
        validate(model)
        facts = inspect(model)
        jobs, budget = image_jobs(model, None), DecodingBudget()
        images = store_images(model, jobs, [run_job(model, job, budget) for job in jobs])
        return describe_model(facts) | {
            "bytes_in": model.bytes_in,
            "maps": describe_images(images),
            "warnings": model_warnings(facts),
        }


def optimize(
    source: Path,
    target: Path,
    level: str = "web",
    threads: int = 1,
    on_progress: Progress = lambda _: None,
    size: RealSize | None = None,
    turn: Turn | None = None,
    ar: Path | None = None,
    may_bake: bool = True,
    is_to_scale: bool = False,
) -> Report:
    """Write `source` to `target`, optimized for `level`, turned and in the part's `size`; return the report.

    If the result would be larger than the source or differ from it, `target` is a copy of the source (still
    placed, which takes about a hundred bytes). With `ar`, the file for core glTF readers is written there and
    described in the report. Without `may_bake`, no level bakes normals. `is_to_scale`: without a `size`
    the file keeps its own. Raises BadModel.
    """
    run = _Run(level, threads, may_bake, on_progress)
    request = PlacementRequest(size or RealSize(), turn, is_to_scale)
    report = _optimize(source, target, run, request)
    core = write_scene_viewer_glb(source, ar, LEVELS[level].ar, request) if ar else None
    for_ar = [f"In the file for AR: {warning}" for warning in (core or {}).get("warnings", [])]
    return report | {"ar": core, "warnings": report["warnings"] + for_ar}


@dataclass(frozen=True)
class _Run:
    """How to do the work. With `keeps_triangles`, no level reduces them."""

    level_name: str
    threads: int
    may_bake: bool
    on_progress: Progress
    keeps_triangles: bool = False

    @property
    def level(self) -> Level:
        level = LEVELS[self.level_name]
        return replace(level, most_triangles=None, bakes_normals=False) if self.keeps_triangles else level

    @property
    def why_not_bake(self) -> str | None:
        """Why a level that bakes normals cannot do so, as a sentence."""
        return bake.why_unavailable() if self.may_bake else "It was turned off."


@dataclass(frozen=True)
class _Attempt:
    """Everything known once the new file is written, before it is decided whether to use it."""

    level_name: str
    bytes_in: int
    before: ModelFacts
    after: ModelFacts
    health: MeshHealth | None
    geometry: GeometryResult
    images: list[ImageResult]
    problem: str | None
    placement: Placement | str | None
    keeps_source: bool
    deviation: Deviation | None


def _optimize(source: Path, target: Path, run: _Run, request: PlacementRequest) -> Report:
    part = target.with_name(f"{target.name}.part")
    try:
        attempt = _attempt(source, part, run, request)
        if attempt.keeps_source and attempt.geometry.simplify.removed:
            # Fewer triangles took more bytes, because they could not be packed again, or changed the shape.
            # With all of them the file may still get smaller.
            why = attempt.problem or "the file would not get smaller"
            attempt = _attempt(source, part, replace(run, keeps_triangles=True), request)
            attempt.geometry.simplify.left_alone.append(f"the triangles, because {why}")
        return _finish(source, target, part, attempt)
    finally:
        part.unlink(missing_ok=True)


def _attempt(source: Path, part: Path, run: _Run, request: PlacementRequest) -> _Attempt:
    """Write the optimized model to `part` and check what was written."""
    with Model(source) as model:
        validate(model)
        before = inspect(model)
        run.on_progress(10)
        placement = real_size.plan_placement(model.json, before, request)
        dedup(model)
        health, geometry, images = _compress(model, run)
        expected = _place(model, expected_facts(before, model, geometry.removed), placement)
        bytes_out, bytes_in = write_glb(model, part), model.bytes_in
    run.on_progress(90)
    with ThreadPoolExecutor(run.threads) as pool:
        verified = pool.submit(verify_result, expected, part)
        measured = pool.submit(
            measure_deviation, source, part, before.longest_side, geometry.origins, matrix_of(placement)
        )
        problem, after = verified.result()
        # A file that cannot be read again cannot be measured either, and is not used.
        deviation = None if problem else measured.result()
        if geometry.simplify.removed:
            problem = problem or why_too_far_off(deviation)
        keeps_source = problem is not None or bytes_out >= bytes_in
    return _Attempt(
        level_name=run.level_name,
        bytes_in=bytes_in,
        before=before,
        after=after,
        health=health,
        geometry=geometry,
        images=images,
        problem=problem,
        placement=placement,
        keeps_source=keeps_source,
        deviation=deviation,
    )


def _compress(model: Model, run: _Run) -> tuple[MeshHealth | None, GeometryResult, list[ImageResult]]:
    """Geometry and images are independent work: Draco, libjpeg, libpng and libwebp all release the GIL.

    Images wait for the geometry if a normal map will be baked, or if our own simplifier needs the memory.
    """
    with ThreadPoolExecutor(run.threads) as pool:
        geometry = pool.submit(_compress_geometry, model, run)
        needs_memory = run.level.most_triangles is not None and not meshoptimizer.is_available()
        if needs_memory or (run.level.bakes_normals and not run.why_not_bake):
            geometry.result()
        jobs, budget = image_jobs(model, run.level.textures), DecodingBudget()
        # The largest first, so that no thread is left with it at the end.
        largest_first = sorted(jobs, key=lambda job: -job.length)
        futures = {job.number: pool.submit(run_job, model, job, budget) for job in largest_first}
        try:
            results = []
            for done, job in enumerate(jobs, 1):
                results.append(futures[job.number].result())
                run.on_progress(10 + 70 * done // len(jobs))
            return *geometry.result(), store_images(model, jobs, results)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _compress_geometry(model: Model, run: _Run) -> tuple[MeshHealth | None, GeometryResult]:
    level, health = run.level, check_mesh_health(model)
    if not level.bakes_normals or run.why_not_bake:
        result = run_geometry_steps(model, level.most_triangles, level.draco)
        release_memory()
        result.bake = BakeResult(run.why_not_bake) if level.bakes_normals else None
        return health, result
    meshes: list[SimplifiedMesh] = []
    result = run_geometry_steps(
        model, level.most_triangles, level.draco, lambda *mesh: meshes.append(SimplifiedMesh(*mesh))
    )
    result.bake = bake_normals(model, meshes, level.textures.max_side, run.threads)
    return health, result


def _place(model: Model, facts: ModelFacts, placement: Placement | str | None) -> ModelFacts:
    """Place the model, if that is planned; return the facts that it must have then."""
    if not isinstance(placement, Placement):
        return facts
    real_size.apply_placement(model.json, placement)
    return placement.applied_to(facts)


def _finish(source: Path, target: Path, part: Path, attempt: _Attempt) -> Report:
    """Move the new file to `target`, or a copy of the source if that is better; return the report."""
    facts, images, geometry = attempt.after, attempt.images, attempt.geometry
    placement, deviation = attempt.placement, attempt.deviation
    is_unchanged, kept_because = False, list[str]()
    if attempt.keeps_source:
        facts, placement = _copy_source(source, part, attempt)
        images = [
            replace(each, after=each.before, bytes_after=each.bytes_before, psnr=None) for each in images
        ]
        geometry = GeometryResult(Origins({}))
        is_unchanged = not (isinstance(placement, Placement) and placement.changes_anything)
        kept_because = [_why_source(attempt.problem, is_unchanged)]
        deviation = measure_deviation(source, part, attempt.before.longest_side)
    bytes_out = part.stat().st_size
    part.replace(target)
    placed = real_size.describe_placement(placement, facts) if isinstance(placement, Placement) else None
    return describe_model(facts) | {
        "level": attempt.level_name,
        "bytes_in": attempt.bytes_in,
        "bytes_out": bytes_out,
        "triangles_in": attempt.before.triangles,
        "vertices_in": attempt.before.vertices,
        "is_unchanged": is_unchanged,
        "placed": placed,
        "maps": describe_images(images),
        "steps": describe_steps(geometry, images, attempt.bytes_in, bytes_out),
        "detail": describe_bake(geometry.bake),
        "truth": describe_deviation(deviation, facts.longest_side) if deviation else None,
        "condition": asdict(attempt.health) if attempt.health else None,
        "warnings": [
            *model_warnings(replace(facts, has_bom=attempt.before.has_bom), attempt.geometry),
            *kept_because,
            *real_size.placement_warnings(placement, facts),
        ],
    }


def _why_source(problem: str | None, is_unchanged: bool) -> str:
    what = "The original file was kept"
    what += "" if is_unchanged else " except for its size and orientation"
    reason = f"the optimized one did not match it: {problem}" if problem else "it cannot be made smaller"
    return f"{what}, because {reason}."


def _copy_source(source: Path, part: Path, attempt: _Attempt) -> tuple[ModelFacts, Placement | str | None]:
    """Let `part` be the source, placed as planned if that works by adding nodes alone."""
    placement = attempt.placement
    if isinstance(placement, Placement) and placement.changes_anything:
        with Model(source) as model:
            expected = _place(model, attempt.before, placement)
            write_glb(model, part)
        problem, after = verify_result(expected, part)
        if problem is None:
            return after, placement
        placement = f"the placed file did not match the original: {problem}"
    shutil.copyfile(source, part)
    return attempt.before, placement
