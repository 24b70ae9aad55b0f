"""The whole way of a file: read, check, place, compress geometry and textures side by side, write, verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import place
from .check import check_structure
from .contents import check_contents
from .encode import DracoOptions
from .facts import ModelFacts, gather
from .geometry import GeometryResult, compress_geometry
from .model import Model
from .place import UNKNOWN, Placement, RealSize
from .recode import DecodingBudget
from .report import Report, describe, describe_maps, describe_steps, warnings_about
from .textures import MapResult, TextureOptions, map_jobs, run_job, store_maps
from .verify import what_is_lost
from .write import write_glb

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Level:
    """What a file is optimized for."""

    draco: DracoOptions = field(default_factory=DracoOptions)
    textures: TextureOptions = field(default_factory=TextureOptions)


LEVELS = {"web": Level()}


def check(source: Path) -> Report:
    """Read and check a file, every image and stream decoded, without changing anything. Raises BadModel."""
    with Model(source) as model:
        facts = _checked(model)
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
) -> Report:
    """Write `source` optimized for `level`, and in the part's true `size`, to `target`; return the report.

    What would come out larger than it came in, or less true, is given out as it was (but in true size,
    which takes about a hundred bytes). Raises BadModel.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with Model(source) as model:
            before = _checked(model)
            on_progress(10)
            placement = place.plan(model.json, before, size)
            geometry, maps = _compress(model, LEVELS[level], threads, on_progress)
            expected = _place(model, before, placement)
            write_glb(model, part)
            on_progress(90)
            lost, after = what_is_lost(expected, part, geometry.degenerate)
            bytes_in = model.bytes_in
        outcome = _Outcome(level, bytes_in, before, after, geometry, maps, lost, placement)
        return _give_out(source, target, part, outcome)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Outcome:
    """All that is known when the new file is written, but not yet given out."""

    level: str
    bytes_in: int
    before: ModelFacts
    after: ModelFacts
    geometry: GeometryResult
    maps: list[MapResult]
    lost: str | None
    placement: Placement | str | None


def _checked(model: Model) -> ModelFacts:
    check_structure(model)
    check_contents(model)
    return gather(model)


def _compress(
    model: Model, level: Level, threads: int, on_progress: Progress
) -> tuple[GeometryResult, list[MapResult]]:
    """Geometry and every map are independent work; Draco, libjpeg, libpng and libwebp all free the GIL."""
    jobs, budget = map_jobs(model, level.textures), DecodingBudget()
    with ThreadPoolExecutor(threads) as pool:
        geometry = pool.submit(compress_geometry, model, level.draco)
        # The largest first, so that no thread is left with it at the end.
        by_size = sorted(jobs, key=lambda job: -job.length)
        futures = {job.number: pool.submit(run_job, model, job, budget) for job in by_size}
        try:
            results = []
            for done, job in enumerate(jobs, 1):
                results.append(futures[job.number].result())
                on_progress(10 + 70 * done // len(jobs))
            return geometry.result(), store_maps(model, jobs, results)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _place(model: Model, before: ModelFacts, placement: Placement | str | None) -> ModelFacts:
    """Place the model, if that is planned; return what its facts must be then."""
    if not isinstance(placement, Placement):
        return before
    place.place(model.json, placement)
    return placement.moved(before)


def _give_out(source: Path, target: Path, part: Path, outcome: _Outcome) -> Report:
    """Move the new file to its place, or the source's copy when that is the better one."""
    is_kept = outcome.lost is not None or part.stat().st_size >= outcome.bytes_in
    maps, geometry, facts, placement = outcome.maps, outcome.geometry, outcome.after, outcome.placement
    is_unchanged, kept_because = is_kept, []
    if is_kept:
        facts, placement = _keep_source(source, part, outcome)
        maps = [replace(each, after=each.before, bytes_after=each.bytes_before) for each in maps]
        geometry = GeometryResult()
        is_unchanged = not (isinstance(placement, Placement) and placement.changes_anything)
        kept_because = [_why_kept(outcome.lost, is_unchanged)]
    bytes_out = part.stat().st_size
    part.replace(target)
    return describe(facts) | {
        "level": outcome.level,
        "bytes_in": outcome.bytes_in,
        "bytes_out": bytes_out,
        "triangles_in": outcome.before.triangles,
        "vertices_in": outcome.before.vertices,
        "is_unchanged": is_unchanged,
        "placed": place.describe(placement, facts) if isinstance(placement, Placement) else None,
        "maps": describe_maps(maps),
        "steps": describe_steps(geometry, maps, outcome.bytes_in, bytes_out),
        "warnings": [
            *warnings_about(facts, outcome.geometry),
            *kept_because,
            *place.warnings_about(placement, facts),
        ],
    }


def _why_kept(lost: str | None, is_unchanged: bool) -> str:
    what = "The file is given out" if is_unchanged else "But for its size, the file is given out"
    why = f"the smaller one was not true to it: {lost}" if lost else "it is as small as can be"
    return f"{what} as it came in, because {why}."


def _keep_source(source: Path, part: Path, outcome: _Outcome) -> tuple[ModelFacts, Placement | str | None]:
    """Let `part` be the source, placed as planned where that can be told by its nodes alone."""
    placement = outcome.placement
    if isinstance(placement, Placement) and placement.changes_anything:
        with Model(source) as model:
            expected = _place(model, outcome.before, placement)
            write_glb(model, part)
        lost, after = what_is_lost(expected, part, 0)
        if lost is None:
            return after, placement
        placement = f"the placed one was not true to it: {lost}"
    shutil.copyfile(source, part)
    return outcome.before, placement
