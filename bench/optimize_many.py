"""Optimize 200 files one after the other in one process: `python -m bench.optimize_many [COUNT]`.

Small textured and complex models, with all levels in turn and the file for AR. Prints the resident size
during the run. The exit code is 1 if the last ten files leave it over 5 % larger than the first ten did.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from itertools import cycle, islice
from pathlib import Path

from acr3d.optimize import pipeline
from acr3d.optimize.presets import LEVELS
from tests.support.optimize_glbs import rich_model, textured_sphere

_WARM_UP = 10
_EVERY = 10
_MOST_GROWTH = 1.05


def main() -> int:
    """Run the files; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("files", type=Path, nargs="*", help="use these files in turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = options.files or _made(Path(folder))
        # Every file meets every level.
        work = zip(cycle(files), cycle(level for level in LEVELS for _ in files), strict=False)
        sizes = []
        for number, (source, level) in enumerate(islice(work, options.count), 1):
            pipeline.optimize(source, Path(folder) / "out.glb", level, ar=Path(folder) / "ar.glb")
            sizes.append(_resident_kb())
            if number % _EVERY == 0:
                print(f"after {number:>3} files: {sizes[-1] / 1024:.1f} MB", flush=True)
    # The largest of several, because what remains depends on the file.
    early, late = max(sizes[:_WARM_UP]), max(sizes[-_WARM_UP:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{late / early - 1:+.1%} after the tenth; peak {peak / 1024:.0f} MB")
    return 1 if late > early * _MOST_GROWTH else 0


def _made(folder: Path) -> list[Path]:
    models = {"sphere": textured_sphere("PNG"), "photo": textured_sphere("JPEG"), "rich": rich_model()}
    for name, model in models.items():
        (folder / f"{name}.glb").write_bytes(model.glb())
    return [folder / f"{name}.glb" for name in models]


def _resident_kb() -> int:
    """The resident size of this process; Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


if __name__ == "__main__":
    raise SystemExit(main())
