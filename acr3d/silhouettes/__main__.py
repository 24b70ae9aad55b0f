"""`python -m acr3d.silhouettes MODEL.glb front=a.jpg right=b.jpg … [--outline front=a.png …] [--find-front]`.

How well the model matches each labelled photo and all of them, from 0 to 1. With --find-front the model may
lie on any of its sides; the scores are those of the turn that was found. With --json it follows the protocol
of acr3d's child processes: `{"report": …}` (exit 0) or `{"error": "…", "code": "…"}` (exit 3).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acr3d.messages.refusal import written

REFUSED_EXIT = 3
_ROUNDS, _LAST_ROUNDS = 3, 1
_TEXELS = 512


def main(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    from acr3d.carving.errors import CarvingError
    from acr3d.gltf.errors import BadModel

    try:
        report = measure(options.model, dict(options.photos), options.turn, dict(options.outlines))
    except (BadModel, CarvingError) as error:
        if options.json:
            print(written(error.message, error.code), flush=True)
        else:
            print(error, file=sys.stderr)
        return REFUSED_EXIT
    print(json.dumps({"report": report}) if options.json else _as_text(report), flush=True)
    return 0


def measure(
    model: Path, photos: dict[str, Path], turn: str | None = "", outlines: Mapping[str, Path] | None = None
) -> dict[str, Any]:
    """The scores of the model after `turn`: `all`, `sides`, and `unmeasured` (why a photo has no score).

    `outlines`: the part's known outlines by side, PNGs that are white on the part.

    With None it looks for the turn that brings the front forward, and reports `turn` and `is_sure` as well.
    Raises BadModel, or CarvingError if no photo can be compared.
    """
    from acr3d.carving.errors import CarvingError
    from acr3d.gltf.orientation import turn_matrix
    from acr3d.render.scene import read_scene
    from acr3d.silhouettes.camera_fit import fit_camera, initial_camera
    from acr3d.silhouettes.decimate import decimate
    from acr3d.silhouettes.orientation_search import find_front
    from acr3d.silhouettes.photo_silhouette import read_photo_silhouette
    from acr3d.silhouettes.score import silhouette_score

    silhouettes, unmeasured = [], {}
    for side, path in photos.items():
        try:
            silhouettes.append(read_photo_silhouette(path, side, (outlines or {}).get(side)))
        except CarvingError as error:
            unmeasured[side] = str(error)
    if not silhouettes:
        raise CarvingError(
            "No photo shows a clear outline of the part, so the model cannot be compared. "
            "Take photos against a plain background.",
            "no_outline",
        )
    scene = read_scene(model, _TEXELS if turn is None else 0)
    decimated = decimate(scene)
    front = find_front(scene, decimated, silhouettes) if turn is None else None
    matrix = turn_matrix(front.turn if front else turn or "")
    sides = {}
    for silhouette in silhouettes:
        camera = fit_camera(decimated, initial_camera(decimated, matrix, silhouette), silhouette, _ROUNDS)
        camera = fit_camera(scene, camera, silhouette, _LAST_ROUNDS)
        sides[silhouette.side] = round(silhouette_score(scene, camera, silhouette), 4)
    report = {"all": round(sum(sides.values()) / len(sides), 4), "sides": sides, "unmeasured": unmeasured}
    return report | ({"turn": front.turn, "is_sure": front.is_sure} if front else {})


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m acr3d.silhouettes", description="Compare a model's silhouettes with photos."
    )
    parser.add_argument("model", type=Path, metavar="MODEL.glb")
    parser.add_argument("photos", type=_photo, nargs="+", metavar="SIDE=PHOTO")
    parser.add_argument(
        "--outline",
        dest="outlines",
        type=_photo,
        action="append",
        default=[],
        metavar="SIDE=PNG",
        help="the part in that photo, white on black, instead of looking for it",
    )
    turns = parser.add_mutually_exclusive_group()
    turns.add_argument(
        "--turn", type=_turn, default="", help="turn the model first, as the optimizer would: x90,y180"
    )
    find = "find the turn that brings the model's front forward"
    turns.add_argument("--find-front", dest="turn", action="store_const", const=None, help=find)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args(argv)
    for path in (options.model, *(path for _, path in [*options.photos, *options.outlines])):
        if not path.is_file():
            parser.error(f"file not found: {path}")
    return options


def _photo(text: str) -> tuple[str, Path]:
    from acr3d.render.cameras import SIDES

    side, separator, path = text.partition("=")
    if not separator or side not in SIDES:
        raise argparse.ArgumentTypeError(f"{text!r} is not {'|'.join(SIDES)}=PHOTO")
    return side, Path(path)


def _turn(text: str) -> str:
    from acr3d.gltf.orientation import turn_matrix

    turn_matrix(text)  # argparse reports the ValueError
    return text


def _as_text(report: dict[str, Any]) -> str:
    lines = [f"all {report['all']:.0%}", *(f"{side} {share:.0%}" for side, share in report["sides"].items())]
    lines += [f"{side}: {why}" for side, why in report["unmeasured"].items()]
    if "turn" in report:
        lines.append(f"turn {report['turn'] or 'none'}, {'sure' if report['is_sure'] else 'not sure'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
