"""Measure outlines and models in photos of scenes: python -m bench.scenes SAMPLES OUT [--parts NAME …]

SAMPLES is as for bench/engine.py. Each part is drawn from six sides through a 30° lens, tilted by up to 2°,
on wood or cloth, with a shadow; every third photo has a hand beside the part, every third a second object.
OUT gets the photos and their true masks. Outlines are found with the learned cut-out; from front, right, top
and back a model is carved. Prints each outline's IoU with the truth, each model's IoU over the ceiling of
silhouettes, and the means. The scenes are drawn again only if OUT lacks them; the seed is fixed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage
from scipy.spatial.transform import Rotation

from acr3d import sandbox
from acr3d.cutout.network import Network
from acr3d.outlines import method
from acr3d.render.cameras import SIDES, RenderCamera
from acr3d.render.draw import draw
from acr3d.render.scene import Scene, read_scene
from bench.engine import AXES, ROOT, is_watertight, metered, parts
from bench.silhouette_extraction import by_network

_SIZE = 960, 720
_FILL = 0.62  # the part's share of the picture's height
_HALF_LENS = np.radians(15)
_MOST_TILT = np.radians(2)
_SKINS = ((222, 172, 140), (176, 122, 88), (110, 72, 52))
_CLOTHS = ((70, 90, 120), (150, 60, 60), (40, 40, 45), (190, 185, 170))

Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--meter", type=Path, default=ROOT / "../shared/tools/meter.py")
    parser.add_argument("--parts", nargs="*", help="only these parts")
    options = parser.parse_args()
    every = parts(options.samples)
    network = Network(method.GRAPH, sandbox.default_threads())
    outlines: list[float] = []
    models: list[float] = []
    for number, part in enumerate(every):
        if options.parts and part.name not in options.parts:
            continue
        folder = options.out / part.name
        if not (folder / "bottom.jpg").exists():
            _write_scenes(part, every[(number + 1) % len(every)], folder)
        outlines += _found_outlines(network, folder)
        if is_watertight(part):
            models += _model(part, folder, options)
    print(f"outlines: mean {statistics.mean(outlines):.3f}, least {min(outlines):.3f} of {len(outlines)}")
    if models:
        print(f"models over ceiling: mean {statistics.mean(models):.3f}, least {min(models):.3f}")


# --- measuring --------------------------------------------------------------------------------------------


def _found_outlines(network: Network, folder: Path) -> list[float]:
    """Find and write the outlines of a part's photos; each one's IoU with the truth."""
    likenesses = []
    for side in SIDES:
        mask = by_network(network, folder / f"{side}.jpg", side)
        Image.fromarray(mask).save(folder / f"{side}.outline.png")
        with Image.open(folder / f"{side}.truth.png") as picture:
            true = np.asarray(picture.convert("L").resize(mask.shape[::-1], Image.Resampling.BOX)) > 127
        likenesses.append(float((mask & true).sum() / (mask | true).sum()))
        print(f"{folder.name:16} {side:6} {likenesses[-1]:.3f}", flush=True)
    return likenesses


def _model(part: Path, folder: Path, options: argparse.Namespace) -> list[float]:
    """The IoU over ceiling of the model from the photos whose outline is found; none if it is refused."""
    found = [side for side in AXES["three"] if Image.open(folder / f"{side}.outline.png").getbbox()]
    images = [
        {"path": str(folder / f"{side}.jpg"), "angle": side, "outline": str(folder / f"{side}.outline.png")}
        for side in found
    ]
    request, out = folder / "request.json", folder / "out.glb"
    request.write_text(json.dumps({"images": images}))
    command = [sys.executable, "-m", "acr3d.carving", str(request), str(out)]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False).returncode:
        print(f"{part.name:16} no model")
        return [0.0]
    result: dict[str, Any] = metered(options, out, part)
    print(f"{part.name:16} model of {len(found)}: {result['iou']:.3f}, over ceiling {result['of_three']:.3f}")
    return [float(result["of_three"])]


# --- drawing ----------------------------------------------------------------------------------------------


def _write_scenes(part: Path, other: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scene, beside = read_scene(part / "truth.glb", 1024), read_scene(other / "truth.glb", 512)
    for number, side in enumerate(SIDES):
        random = np.random.default_rng([zlib.crc32(part.name.encode()), number])
        picture = draw(scene, _camera(scene, side, _SIZE, random), *_SIZE)
        ground = _wood(random) if number % 2 else _cloth(random)
        if number % 3 == 1:
            ground = _with_hand(ground, picture, random)
        if number % 3 == 2:
            ground = _with_object(
                ground, picture, draw(beside, _camera(beside, side, (260, 200), random), 260, 200)
            )
        photo = _laid_on(_with_shadow(ground, picture, random), picture)
        grain = random.normal(0, 2.5, (*_SIZE[::-1], 3))
        noisy = (np.asarray(photo, float) + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{side}.jpg", quality=90)
        picture.getchannel("A").save(folder / f"{side}.truth.png")


def _camera(scene: Scene, side: str, size: tuple[int, int], random: np.random.Generator) -> RenderCamera:
    low, high = scene.box
    extent = np.abs(SIDES[side][:2] @ (high - low))
    zoom = _FILL * size[1] / extent.max()
    tilt = Rotation.from_rotvec(random.uniform(-_MOST_TILT, _MOST_TILT, 3)).as_matrix()
    nearness = zoom * 2 * np.tan(_HALF_LENS) / size[1]
    across, down = random.uniform(-0.03, 0.03, 2) * size[1]
    return RenderCamera(tilt @ SIDES[side], (low + high) / 2, zoom, nearness, (across, down))


def _wood(random: np.random.Generator) -> Image.Image:
    """Planks with a grain along them."""
    width, height = _SIZE
    grain = ndimage.gaussian_filter(random.normal(size=(height, width)), (1.2, 60))
    grain += 2 * ndimage.gaussian_filter(random.normal(size=(height, width)), (6, 160))
    grain /= grain.std()
    plank = np.arange(height) // 190
    tone = 1 + 0.12 * random.normal(size=plank.max() + 1)[plank] - 0.5 * (np.arange(height) % 190 < 3)
    return _lit((np.array([165.0, 115, 70]) * (tone[:, None] * (1 + 0.1 * grain))[..., None]), random)


def _cloth(random: np.random.Generator) -> Image.Image:
    """A plain weave with creases."""
    width, height = _SIZE
    rows, columns = np.indices((height, width))
    weave = 0.05 * (np.sin(rows * 1.3) + np.sin(columns * 1.3))
    creases = ndimage.gaussian_filter(random.normal(size=(height, width)), (60, 25))
    shade = 1 + weave + 0.08 * creases / creases.std()
    return _lit(np.array(_CLOTHS[random.integers(len(_CLOTHS))], float) * shade[..., None], random)


def _lit(colours: Floats, random: np.random.Generator) -> Image.Image:
    """The ground, brighter towards one side."""
    first, last = random.uniform(0.85, 1.15, 2)
    slope = np.linspace(first, last, colours.shape[1])
    return Image.fromarray((colours * slope[None, :, None]).clip(0, 255).astype(np.uint8))


def _with_shadow(ground: Image.Image, picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The ground under the part's soft shadow."""
    shadow = Image.new("L", ground.size)
    dark = int(255 * random.uniform(0.3, 0.55))
    across, down = random.integers(10, 45, 2)
    shadow.paste(dark, (int(across), int(down)), picture.getchannel("A"))
    return Image.composite(
        Image.new("RGB", ground.size), ground, shadow.filter(ImageFilter.GaussianBlur(random.uniform(8, 25)))
    )


def _with_hand(ground: Image.Image, picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The ground with an arm from the right whose fingers end behind the part."""
    left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, *_SIZE)
    row = (top + bottom) / 2
    shape = Image.new("L", ground.size)
    pen = ImageDraw.Draw(shape)
    palm = right + 90
    pen.polygon([(palm, row - 75), (_SIZE[0], row - 60), (_SIZE[0], row + 60), (palm, row + 75)], 255)
    pen.ellipse((palm - 70, row - 90, palm + 90, row + 90), 255)
    for finger in range(4):
        height = row - 66 + 44 * finger
        pen.line((right - 0.15 * (right - left), height, palm, height), 255, 34)
        pen.ellipse(
            (
                right - 0.15 * (right - left) - 17,
                height - 17,
                right - 0.15 * (right - left) + 17,
                height + 17,
            ),
            255,
        )
    skin = np.array(_SKINS[random.integers(len(_SKINS))], float)
    relief = 1 + 0.1 * ndimage.gaussian_filter(random.normal(size=_SIZE[::-1]), 20) * 50
    flesh = Image.fromarray((skin * relief[..., None]).clip(0, 255).astype(np.uint8))
    return Image.composite(flesh, ground, shape.filter(ImageFilter.GaussianBlur(1.5)))


def _with_object(ground: Image.Image, picture: Image.Image, other: Image.Image) -> Image.Image:
    """The ground with a smaller object in the corner that is farthest from the part."""
    left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, *_SIZE)
    column = 5 if left > _SIZE[0] - right else _SIZE[0] - other.width - 5
    row = 5 if top > _SIZE[1] - bottom else _SIZE[1] - other.height - 5
    ground = ground.copy()
    ground.paste(other.convert("RGB"), (column, row), other.getchannel("A"))
    return ground


def _laid_on(ground: Image.Image, picture: Image.Image) -> Image.Image:
    return Image.alpha_composite(ground.convert("RGBA"), picture).convert("RGB")


if __name__ == "__main__":
    main()
