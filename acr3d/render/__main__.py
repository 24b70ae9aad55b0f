"""`python -m acr3d.render IN.glb OUT.webp [--side front | --orbit 30,75] [--pixels 800] [--white] [--mask]`.

Without a side or an orbit it draws the poster: the view with which the viewer starts. OUT is a PNG if it
ends in .png, else a WebP.
It prints one line for people. With --json it follows the protocol of acr3d's child processes: `{"report": …}`
(exit 0) or `{"error": "…", "code": "…"}` (exit 3).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from acr3d.messages.message import Message
from acr3d.messages.refusal import written

REFUSED_EXIT = 3
_FEWEST_PIXELS, _MOST_PIXELS = 16, 2048


def main(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    from acr3d.gltf.errors import BadModel

    try:
        report = _run(options)
    except BadModel as error:
        return _refuse(error.message, error.code, options.json)
    except MemoryError:
        return _refuse(Message("model_file.too_much_memory"), "too_large", options.json)
    print(json.dumps({"report": report}) if options.json else f"drawn: {options.target}", flush=True)
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    from acr3d.render.cameras import SIDES

    parser = argparse.ArgumentParser(prog="python -m acr3d.render", description="Draw a GLB file.")
    parser.add_argument("source", type=Path, metavar="IN.glb")
    parser.add_argument("target", type=Path, metavar="OUT.webp")
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--side", choices=list(SIDES), help="view from one side, without perspective")
    view.add_argument(
        "--orbit",
        type=_angles,
        metavar="THETA,PHI",
        help="camera angles in degrees: around from the front, and down from the top",
    )
    parser.add_argument(
        "--pixels", type=_pixels, default=800, help="width and height of the picture (default: 800)"
    )
    parser.add_argument("--white", action="store_true", help="white background instead of transparent")
    parser.add_argument("--mask", action="store_true", help="only the silhouette, white on black")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument(
        "--strip", type=Path, metavar="STRIP.webp", help="with the poster: the model from these --sides too"
    )
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=[], help="the strip's, in order")
    options = parser.parse_args(argv)
    if bool(options.strip) != bool(options.sides):
        parser.error("--strip and --sides go together")
    if not options.source.is_file():
        parser.error(f"file not found: {options.source}")
    return options


def _angles(text: str) -> tuple[float, float]:
    try:
        theta, phi = (float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a pair of angles such as 30,75") from None
    return theta, phi


def _pixels(text: str) -> int:
    if text.isdecimal() and _FEWEST_PIXELS <= int(text) <= _MOST_PIXELS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from {_FEWEST_PIXELS} to {_MOST_PIXELS}")


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from PIL import Image

    from acr3d.render import draw, poster
    from acr3d.render.cameras import side_camera
    from acr3d.render.scene import read_scene
    from acr3d.render.strip import make_strip

    side = options.pixels
    is_poster = not (options.side or options.orbit or options.white or options.mask)
    if is_poster and options.target.suffix != ".png":
        scene = read_scene(options.source)
        report = poster.make_poster(scene, options.target, side)
        return report | ({"strip": make_strip(scene, options.sides, options.strip)} if options.strip else {})
    scene = read_scene(options.source, 0 if options.mask else 2048)
    orbit = poster.starting_view(scene)[0]
    if options.orbit:
        orbit = replace(orbit, theta=options.orbit[0], phi=options.orbit[1])
    camera = side_camera(options.side, *scene.box, side) if options.side else orbit.camera(side)
    if options.mask:
        drawn = Image.fromarray(draw.mask(scene, camera, side, side))
    else:
        drawn = draw.draw(scene, camera, side, side)
        drawn = draw.flatten_on_white(drawn) if options.white else drawn
    drawn.save(options.target, "PNG" if options.target.suffix == ".png" else "WEBP")
    return {"width": side, "height": side}


def _refuse(message: Message, code: str, is_json: bool) -> int:
    if is_json:
        print(written(message, code), flush=True)
    else:
        print(message, file=sys.stderr)
    return REFUSED_EXIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
