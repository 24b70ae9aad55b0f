"""Run every GLB of folders through the optimizer at all levels: `python -m bench.corpus FOLDER…`.

Each file and level runs in a process of its own and is compared with its source: errors of the Khronos
validator, bytes, triangles, the world box, materials, animations, used extensions, and with --pictures what
is seen from six sides. The file for AR is validated and weighed too. Prints a Markdown table of outcomes by
kind, and every file that fell short. The exit code is 1 for a crash, a time-out, an invalid result of a valid
source, a result larger than its source, or a valid source that is refused without a documented limit.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.errors import BadModel
from acr3d.optimize.presets import LEVELS
from acr3d.render.cameras import SIDES, side_camera
from acr3d.render.draw import draw, flatten_on_white
from acr3d.render.scene import read_scene
from tests.support.optimize_glbs import validator_errors

_SECONDS = 300
# The sides of the world box, as a share of the longest.
_MOST_OFF = 0.001
# How the pictures of a side may differ on average, of 255.
_MOST_DIFFERENT = 4.0
_PIXELS = 128
_Box = tuple[NDArray[np.float64], NDArray[np.float64]]
_LIMITS = ("too_large", "unsupported", "external", "empty")
BAD = frozenset({"crash", "time-out", "invalid", "larger", "refused", "not like its source"})


@dataclass
class Outcome:
    """What became of one file at one level; the first of `kinds` is the gravest."""

    source: Path
    level: str
    kinds: list[str] = field(default_factory=list)
    words: str = ""


def main() -> int:
    """Run all files and print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pictures", action="store_true", help="compare pictures from six sides")
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    short: list[Outcome] = []
    for source in _files(options.folders):
        is_valid = not validator_errors([source])
        for level in LEVELS:
            outcome = run_one(source, level, is_valid, options.pictures)
            counts.update((level, kind) for kind in outcome.kinds)
            if BAD.intersection(outcome.kinds):
                short.append(outcome)
                print(f"{source.name}, {level}: {', '.join(outcome.kinds)}: {outcome.words}", flush=True)
    print(_table(counts))
    return 1 if short else 0


def _files(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.rglob("*.glb"))


def run_one(source: Path, level: str, is_valid: bool, pictures: bool = False) -> Outcome:
    """Optimize one file in a process of its own, and compare."""
    outcome = Outcome(source, level)
    with tempfile.TemporaryDirectory() as name:
        out, ar = Path(name) / "out.glb", Path(name) / "ar.glb"
        command = [sys.executable, "-m", "acr3d.optimize", "--json", "--level", level, "--ar", str(ar)]
        try:
            done = subprocess.run(
                [*command, str(source), str(out)], capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            outcome.kinds.append("time-out")
            return outcome
        said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode:
            _refused(outcome, said, done, is_valid)
            return outcome
        _compare(outcome, source, out, ar, said[-1], is_valid)
        if pictures:
            _look(outcome, source, out)
    outcome.kinds = outcome.kinds or ["smaller"]
    return outcome


def _refused(
    outcome: Outcome, said: list[Any], done: subprocess.CompletedProcess[str], is_valid: bool
) -> None:
    outcome.words = str(said[-1] if said else done.stderr[-300:])
    code = next((line.get("code", "") for line in reversed(said)), "")
    if not code:
        outcome.kinds.append("crash")
    elif not is_valid:
        outcome.kinds.append("refused, as its source is invalid")
    else:
        outcome.kinds.append("refused for a limit" if code in _LIMITS else "refused")


def _compare(outcome: Outcome, source: Path, out: Path, ar: Path, said: Any, is_valid: bool) -> None:
    report = said.get("report", said)
    before, after = _facts(source), _facts(out)
    for path in (out, ar):
        what = "AR: " if path == ar else ""
        if not path.exists():
            outcome.kinds.append("no file for AR")
            continue
        if is_valid and validator_errors([path]):
            outcome.kinds.append("invalid")
            outcome.words += f"{what}{validator_errors([path])}"[:200]
        if path.stat().st_size > source.stat().st_size:
            outcome.kinds.append("larger")
            outcome.words += f"{what}{path.stat().st_size} of {source.stat().st_size} bytes "
    wrong = [name for name in ("animations", "skins", "scenes") if before[name] != after[name]]
    lost = before["extensions"] - after["extensions"] - {"EXT_meshopt_compression", "KHR_mesh_quantization"}
    wrong += sorted(lost - {"KHR_draco_mesh_compression"})
    if report["level"] != "light" and report["triangles"] != report["triangles_in"]:
        outcome.kinds.append("triangles without area removed")
    off = (report["truth"] or {}).get("position_max_percent", 0.0) or 0.0
    if off > 100 * _MOST_OFF * (10 if report["level"] == "light" else 1):
        wrong.append(f"{off} % off")
    if wrong:
        outcome.kinds.append("not like its source")
        outcome.words += ", ".join(wrong)
    if report["is_unchanged"]:
        outcome.kinds.append("kept as it was")


def _facts(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    found = json.loads(content[20 : 20 + length].decode("utf-8-sig", "replace"))
    counts = {name: len(found.get(name, [])) for name in ("animations", "skins", "scenes")}
    return counts | {"extensions": set(found.get("extensionsUsed", []))}


def _look(outcome: Outcome, source: Path, out: Path) -> None:
    """Compare pictures from six sides, drawn by our own renderer."""
    try:
        box, before = _pictures_of_source(source)
        after = _pictures(out, box)[1]
    except BadModel as error:
        outcome.kinds.append("not drawn")
        outcome.words += f"{error} "
        return
    off = max(float(np.abs(one - other).mean()) for one, other in zip(before, after, strict=True))
    if off > _MOST_DIFFERENT:
        outcome.kinds.append("not like its source")
        outcome.words += f"pictures differ by {off:.1f} of 255"


@functools.lru_cache(maxsize=1)
def _pictures_of_source(path: Path) -> tuple[_Box, list[NDArray[np.float64]]]:
    """The same for all levels, so it is drawn once."""
    return _pictures(path)


def _pictures(path: Path, box: _Box | None = None) -> tuple[_Box, list[NDArray[np.float64]]]:
    """A model from six sides, and the box that the cameras framed: its own, unless one is given."""
    scene = read_scene(path)
    low, high = box or scene.box
    drawn = []
    for side in SIDES:
        picture = draw(scene, side_camera(side, low, high, _PIXELS), _PIXELS, _PIXELS)
        drawn.append(np.asarray(flatten_on_white(picture).convert("RGB"), float))
    return (low, high), drawn


def _table(counts: Counter[tuple[str, str]]) -> str:
    kinds = sorted({kind for _level, kind in counts}, key=lambda kind: (kind not in BAD, kind))
    rows = [f"| outcome | {' | '.join(LEVELS)} |", "|---" * (len(LEVELS) + 1) + "|"]
    rows += [f"| {kind} | {' | '.join(str(counts[level, kind]) for level in LEVELS)} |" for kind in kinds]
    return "\n".join(rows)


if __name__ == "__main__":
    raise SystemExit(main())
