"""Measure what each kind of map gains from quality: `python -m bench.optimize_quality FILE.glb… [--views 4]`.

Every file is optimized with the current settings, with WebP's usual ones, and with one kind of map at a time
coarser or finer. Prints bytes and worst and mean SSIM of the views for each, so that bytes can be moved from
kinds that gain little to kinds that gain much. Use files that bench/optimize.py does not measure.

docs/decisions/0011-optimizer-texture-quality.md is based on five models of the npm package
@webxr-input-profiles/assets 1.0.20 (MIT): samsung-galaxyxr, hp-mixed-reality, magicleap-two, valve-index,
generic-trigger, the left hand's or the only one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

from acr3d.optimize import pipeline
from acr3d.optimize.presets import LEVELS
from acr3d.optimize.steps.texture_compress import TextureOptions
from bench.fidelity.__main__ import measure

_PLAIN = TextureOptions(
    method=4, colour_quality=80, data_quality=72, normal_quality=80, least_normal_psnr=0.0
)
VARIANTS = {
    "80, 72, 80": _PLAIN,
    "as they are": TextureOptions(),
    "colour 70": replace(_PLAIN, colour_quality=70),
    "colour 90": replace(_PLAIN, colour_quality=90),
    "data 55": replace(_PLAIN, data_quality=55),
    "data 90": replace(_PLAIN, data_quality=90),
    "normal 70": replace(_PLAIN, normal_quality=70),
    "normal 90": replace(_PLAIN, normal_quality=90),
}


def main() -> None:
    """Optimize, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--views", type=int, default=4)
    options = parser.parse_args()
    print(
        "| file | qualities | bytes | worst SSIM | mean SSIM | PSNR of each map |\n|---|---|---|---|---|---|"
    )
    for source in options.files:
        with tempfile.TemporaryDirectory() as folder:
            _study(source, Path(folder), options.views)


def _study(source: Path, folder: Path, views: int) -> None:
    targets = {name: folder / f"{at}.glb" for at, name in enumerate(VARIANTS)}
    reports = {name: _optimized(source, target, VARIANTS[name]) for name, target in targets.items()}
    likes = measure(source, list(targets.values()), views)
    for name, target in targets.items():
        ssims = [like.ssim for like in likes[target]]
        psnrs = ", ".join(f"{each['psnr_db']}" for each in reports[name]["maps"])
        cells = f"{target.stat().st_size:,} | {min(ssims):.4f} | {statistics.mean(ssims):.4f} | {psnrs}"
        print(f"| {source.parent.name} | {name} | {cells} |", flush=True)


def _optimized(source: Path, target: Path, textures: TextureOptions) -> pipeline.Report:
    with mock.patch.dict(LEVELS, web=replace(LEVELS["web"], textures=textures)):
        return pipeline.optimize(source, target)


if __name__ == "__main__":
    main()
