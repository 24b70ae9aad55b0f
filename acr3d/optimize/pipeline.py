"""The whole way of a file: read, check, place, compress geometry and textures side by side, write, verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from acr3d.gltf.load import checked
from acr3d.gltf.model import Model
from acr3d.gltf.prune import keep_used_textures
from acr3d.gltf.write import write_glb
from acr3d.optimize.blender import run
from acr3d.optimize.deviation import Truth, measure
from acr3d.optimize.inspect import ModelFacts
from acr3d.optimize.malloc import release_memory
from acr3d.optimize.mesh_health import Condition, examine
from acr3d.optimize.presets import LEVELS, Level
from acr3d.optimize.report import (
    Report,
    describe,
    describe_detail,
    describe_maps,
    describe_steps,
    describe_truth,
    warnings_about,
)
from acr3d.optimize.steps import real_size
from acr3d.optimize.steps.geometry_steps import Shaped, shape
from acr3d.optimize.steps.normal_bake import Detail, Recorder, bake_detail
from acr3d.optimize.steps.orientation import Turn
from acr3d.optimize.steps.real_size import UNKNOWN, Placement, RealSize
from acr3d.optimize.steps.scene_viewer import Position, make_ar
from acr3d.optimize.steps.texture_compress import DecodingBudget
from acr3d.optimize.steps.textures import MapResult, map_jobs, run_job, store_maps
from acr3d.optimize.verify import verify_result

Progress = Callable[[int], None]


def check(source: Path) -> Report:
    """Read and check a file, every image and stream decoded, without changing anything. Raises BadModel."""
    with Model(source) as model:
        facts = checked(model)
        jobs, budget = map_jobs(model, None), DecodingBudget()
        results = [run_job(model, job, budget) for job in jobs]
        maps = describe_maps(store_maps(model, jobs, results))
        return describe(facts) | {"bytes_in": model.bytes_in, "maps": maps, "warnings": warnings_about(facts)}


def optimize(
    source: Path,
    target: Path,
    level: str = "web",
    threads: int = 1,
    on_progress: Progress = lambda _: None,
    size: RealSize = UNKNOWN,
    turn: Turn | None = None,
    ar: Path | None = None,
    may_bake: bool = True,
) -> Report:
    """Write `source` optimized for `level`, turned, and in the part's true `size`; return the report.

    What would come out larger than it came in, or less true, is given out as it was (but in true size,
    which takes about a hundred bytes). With `ar`, the file for core readers is written there, and `ar` in the
    report tells of it. A level that bakes detail does without when it may not. Raises BadModel.
    """
    way = _Way(level, threads, may_bake, on_progress)
    report = _optimize(source, target, way, Position(size, turn))
    return report | {"ar": make_ar(source, ar, LEVELS[level].ar, Position(size, turn)) if ar else None}


@dataclass(frozen=True)
class _Way:
    """How the work is done; one that `keeps_triangles` does so even where its level would reduce them."""

    name: str
    threads: int
    may_bake: bool
    on_progress: Progress
    keeps_triangles: bool = False

    @property
    def level(self) -> Level:
        level = LEVELS[self.name]
        return replace(level, most_triangles=None, bakes_detail=False) if self.keeps_triangles else level

    @property
    def why_not_bake(self) -> str | None:
        """Why a level that bakes detail does without, as a sentence."""
        return run.why_missing() if self.may_bake else "It was not wanted."


def _optimize(source: Path, target: Path, way: _Way, position: Position) -> Report:
    part = target.with_name(f"{target.name}.part")
    try:
        outcome = _attempt(source, part, way, position)
        if outcome.is_kept and outcome.shaped.simplify.removed:
            # Fewer triangles took more bytes, as plain ones do that were packed: all of them may take less.
            outcome = _attempt(source, part, replace(way, keeps_triangles=True), position)
            outcome.shaped.simplify.left_alone.append("the triangles, because the file would not get smaller")
        return _give_out(source, target, part, outcome)
    finally:
        part.unlink(missing_ok=True)


def _attempt(source: Path, part: Path, way: _Way, position: Position) -> _Outcome:
    """Write the optimized model to `part`, and look at what was written."""
    with Model(source) as model:
        before = checked(model)
        way.on_progress(10)
        placement = real_size.plan(model.json, before, position.size, position.turn)
        keep_used_textures(model.json)
        condition, shaped, maps = _compress(model, way)
        fewer = replace(before, triangles=before.triangles - shaped.removed)
        expected = _place(model, fewer, placement)
        bytes_out, bytes_in = write_glb(model, part), model.bytes_in
    way.on_progress(90)
    with ThreadPoolExecutor(way.threads) as pool:
        looked = pool.submit(verify_result, expected, part)
        measured = pool.submit(_truth, source, part, before)
        lost, after = looked.result()
        is_kept = lost is not None or bytes_out >= bytes_in
        # What could not be read again can hardly be measured; it is not given out.
        truth = None if is_kept else measured.result()
    return _Outcome(
        way.name, bytes_in, before, after, condition, shaped, maps, lost, placement, is_kept, truth
    )


@dataclass(frozen=True)
class _Outcome:
    """All that is known when the new file is written, but not yet given out."""

    level: str
    bytes_in: int
    before: ModelFacts
    after: ModelFacts
    condition: Condition | None
    shaped: Shaped
    maps: list[MapResult]
    lost: str | None
    placement: Placement | str | None
    is_kept: bool
    truth: Truth | None


def _compress(model: Model, way: _Way) -> tuple[Condition | None, Shaped, list[MapResult]]:
    """Geometry and every map are independent work; Draco, libjpeg, libpng and libwebp all free the GIL.

    Only a normal map that takes up detail has to wait for what the simplifier leaves out.
    """
    with ThreadPoolExecutor(way.threads) as pool:
        geometry = pool.submit(_examine_and_shape, model, way)
        if way.level.bakes_detail and not way.why_not_bake:
            geometry.result()
        jobs, budget = map_jobs(model, way.level.textures), DecodingBudget()
        # The largest first, so that no thread is left with it at the end.
        by_size = sorted(jobs, key=lambda job: -job.length)
        futures = {job.number: pool.submit(run_job, model, job, budget) for job in by_size}
        try:
            results = []
            for done, job in enumerate(jobs, 1):
                results.append(futures[job.number].result())
                way.on_progress(10 + 70 * done // len(jobs))
            return *geometry.result(), store_maps(model, jobs, results)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _examine_and_shape(model: Model, way: _Way) -> tuple[Condition | None, Shaped]:
    level, condition = way.level, examine(model)
    if not level.bakes_detail or way.why_not_bake:
        shaped = shape(model, level.most_triangles, level.draco)
        release_memory()
        shaped.detail = Detail(way.why_not_bake) if level.bakes_detail else None
        return condition, shaped
    recorder = Recorder()
    shaped = shape(model, level.most_triangles, level.draco, recorder if recorder.reduce else None)
    shaped.detail = bake_detail(model, recorder, level.textures.max_side, way.threads)
    return condition, shaped


def _truth(source: Path, result: Path, before: ModelFacts) -> Truth | None:
    with Model(source) as first, Model(result) as second:
        return measure(first, second, max(before.size or (0.0,)))


def _place(model: Model, before: ModelFacts, placement: Placement | str | None) -> ModelFacts:
    """Place the model, if that is planned; return what its facts must be then."""
    if not isinstance(placement, Placement):
        return before
    real_size.place(model.json, placement)
    return placement.moved(before)


def _give_out(source: Path, target: Path, part: Path, outcome: _Outcome) -> Report:
    """Move the new file to its place, or the source's copy when that is the better one."""
    maps, shaped, facts, placement = outcome.maps, outcome.shaped, outcome.after, outcome.placement
    is_unchanged, kept_because, truth = outcome.is_kept, [], outcome.truth
    if outcome.is_kept:
        facts, placement = _keep_source(source, part, outcome)
        maps = [replace(each, after=each.before, bytes_after=each.bytes_before, psnr=None) for each in maps]
        shaped = Shaped()
        is_unchanged = not (isinstance(placement, Placement) and placement.changes_anything)
        kept_because = [_why_kept(outcome.lost, is_unchanged)]
        truth = _truth(source, part, outcome.before)
    bytes_out = part.stat().st_size
    part.replace(target)
    return describe(facts) | {
        "level": outcome.level,
        "bytes_in": outcome.bytes_in,
        "bytes_out": bytes_out,
        "triangles_in": outcome.before.triangles,
        "vertices_in": outcome.before.vertices,
        "is_unchanged": is_unchanged,
        "placed": real_size.describe(placement, facts) if isinstance(placement, Placement) else None,
        "maps": describe_maps(maps),
        "steps": describe_steps(shaped, maps, outcome.bytes_in, bytes_out),
        "detail": describe_detail(shaped.detail),
        "truth": describe_truth(truth, max(facts.size or (0.0,))) if truth else None,
        "condition": asdict(outcome.condition) if outcome.condition else None,
        "warnings": [
            *warnings_about(facts, outcome.shaped),
            *kept_because,
            *real_size.warnings_about(placement, facts),
        ],
    }


def _why_kept(lost: str | None, is_unchanged: bool) -> str:
    what = "The file is given out" if is_unchanged else "But for its size and turn, the file is given out"
    why = f"the smaller one was not true to it: {lost}" if lost else "it is as small as can be"
    return f"{what} as it came in, because {why}."


def _keep_source(source: Path, part: Path, outcome: _Outcome) -> tuple[ModelFacts, Placement | str | None]:
    """Let `part` be the source, placed as planned where that can be told by its nodes alone."""
    placement = outcome.placement
    if isinstance(placement, Placement) and placement.changes_anything:
        with Model(source) as model:
            expected = _place(model, outcome.before, placement)
            write_glb(model, part)
        lost, after = verify_result(expected, part)
        if lost is None:
            return after, placement
        placement = f"the placed one was not true to it: {lost}"
    shutil.copyfile(source, part)
    return outcome.before, placement
