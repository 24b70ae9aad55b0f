"""The whole way of a file: read and check, compress geometry and textures side by side, write, verify."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from .check import check_structure
from .contents import check_contents
from .encode import DracoOptions
from .facts import ModelFacts, gather
from .geometry import GeometryResult, compress_geometry
from .model import Model
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
    source: Path, target: Path, level: str = "web", threads: int = 1, on_progress: Progress = lambda _: None
) -> Report:
    """Write `source` optimized for `level` to `target`; return the report.

    What would come out larger than it came in, or less true, is given out as it was. Raises BadModel.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with Model(source) as model:
            before = _checked(model)
            on_progress(10)
            geometry, maps = _compress(model, LEVELS[level], threads, on_progress)
            write_glb(model, part)
            on_progress(90)
            lost, after = what_is_lost(before, part, geometry.degenerate)
            bytes_in = model.bytes_in
        return _give_out(source, target, part, _Outcome(level, bytes_in, before, after, geometry, maps, lost))
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


def _give_out(source: Path, target: Path, part: Path, outcome: _Outcome) -> Report:
    """Move the new file to its place, or the source's copy when that is the better one."""
    bytes_out = part.stat().st_size
    is_kept = outcome.lost is not None or bytes_out >= outcome.bytes_in
    maps, facts = outcome.maps, outcome.after
    warnings = warnings_about(outcome.before, outcome.geometry)
    if is_kept:
        shutil.copyfile(source, part)
        bytes_out, facts = outcome.bytes_in, outcome.before
        maps = [replace(each, after=each.before, bytes_after=each.bytes_before) for each in maps]
        why = (
            f"the smaller one was not true to it: {outcome.lost}"
            if outcome.lost
            else "it is as small as can be"
        )
        warnings.append(f"The file is given out as it came in, because {why}.")
    part.replace(target)
    steps = describe_steps(
        GeometryResult() if is_kept else outcome.geometry, maps, outcome.bytes_in, bytes_out
    )
    return describe(facts) | {
        "level": outcome.level,
        "bytes_in": outcome.bytes_in,
        "bytes_out": bytes_out,
        "triangles_in": outcome.before.triangles,
        "vertices_in": outcome.before.vertices,
        "is_unchanged": is_kept,
        "maps": describe_maps(maps),
        "steps": steps,
        "warnings": warnings,
    }
