"""Measure what each kind of map gains from quality: `python -m bench.optimize_quality FILE.glb… [--views 4]`.

Every file is optimized with the current settings, and with one kind of map or of geometry at a time coarser
or finer. Prints bytes and worst and mean SSIM of the views for each, so that bytes can be moved from kinds
that gain little to kinds that gain much. Use files that bench/optimize.py does not measure.

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
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.presets import LEVELS, Level
from acr3d.optimize.steps.texture_compress import TextureOptions
from bench.fidelity.__main__ import measure

_PLAIN = TextureOptions()
VARIANTS = {
    "as they are": _PLAIN,
    "colour 70": replace(_PLAIN, colour_quality=70),
    "colour 90": replace(_PLAIN, colour_quality=90),
    "data 20": replace(_PLAIN, data_quality=20),
    "data 70": replace(_PLAIN, data_quality=70),
    "normal 65": replace(_PLAIN, normal_quality=65),
    "normal 85": replace(_PLAIN, normal_quality=85),
    "method 4": replace(_PLAIN, method=4),
}
GEOMETRY = {
    "positions 14": DracoOptions(position_bits=14),
    "positions 16": DracoOptions(position_bits=16),
    "UVs 11": DracoOptions(texcoord_bits=11),
    "UVs 13": DracoOptions(texcoord_bits=13),
    "normals 8": DracoOptions(normal_bits=8),
    "normals 10": DracoOptions(normal_bits=10),
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
    web = LEVELS["web"]
    levels = {name: replace(web, textures=textures) for name, textures in VARIANTS.items()}
    levels |= {name: replace(web, draco=draco) for name, draco in GEOMETRY.items()}
    targets = {name: folder / f"{at}.glb" for at, name in enumerate(levels)}
    reports = {name: _optimized(source, target, levels[name]) for name, target in targets.items()}
    likes = measure(source, list(targets.values()), views)
    for name, target in targets.items():
        ssims = [like.ssim for like in likes[target]]
        psnrs = ", ".join(f"{each['psnr_db']}" for each in reports[name]["maps"])
        cells = f"{target.stat().st_size:,} | {min(ssims):.4f} | {statistics.mean(ssims):.4f} | {psnrs}"
        print(f"| {source.parent.name} | {name} | {cells} |", flush=True)


def _optimized(source: Path, target: Path, level: Level) -> pipeline.Report:
    with mock.patch.dict(LEVELS, web=level):
        return pipeline.optimize(source, target)


if __name__ == "__main__":
    main()
