"""acr3d.optimize beside its peers: `python -m bench.optimize FOLDER [--rounds 5] [--views 24] [--write]`.

Every tool makes every GLB of FOLDER small, in a process of its own, in turns. Beside those files there is one
with 4096² PNG maps, made from the first file with 2048² PNG maps. Prints a Markdown table; --write puts it
into docs/optimizer.md. Ends with an error when a peer is missing (npm install --prefix bench).
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

from acr3d.optimize.model import Model
from acr3d.optimize.write import write_glb
from bench.fidelity.__main__ import measure

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "node_modules" / ".bin"
DOCUMENT = ROOT / "docs" / "optimizer.md"
MARKS = ("<!-- made by bench/optimize.py -->", "<!-- end -->")
GT_FLAGS = ("--compress", "draco", "--texture-compress", "webp", "--simplify", "false")
COLUMNS = ("file", "tool", "bytes", "wall s", "CPU s", "peak MB", "worst SSIM", "mean SSIM")
HEAD = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, and its largest resident size in MB (children's not added)."""

    wall: float
    cpu: float
    peak_mb: float


@dataclass
class Row:
    """What one tool did with one file over all rounds."""

    runs: list[Run] = field(default_factory=list)
    bytes_out: int = 0
    worst: float | None = None
    mean: float | None = None

    def text(self, file: str, tool: str) -> str:
        """A line of the table: medians."""
        figures = [
            statistics.median(getattr(run, name) for run in self.runs) for name in ("wall", "cpu", "peak_mb")
        ]
        likeness = ["–" if each is None else f"{each:.4f}" for each in (self.worst, self.mean)]
        cells = [
            file,
            tool,
            f"{self.bytes_out:,}",
            f"{figures[0]:.2f}",
            f"{figures[1]:.2f}",
            f"{figures[2]:.0f}",
        ]
        return f"| {' | '.join(cells + likeness)} |"


def tools(source: Path, target: Path) -> dict[str, list[str]]:
    """Every tool's command line for one file."""
    ours = [sys.executable, "-m", "acr3d.optimize", str(source), str(target)]
    pipeline = [str(PEERS / "gltf-pipeline"), "-i", str(source), "-o", str(target)]
    return {
        "acr3d, 1 thread": ["env", "ACR3D_THREADS=1", *ours],
        "acr3d, 2 threads": ["env", "ACR3D_THREADS=2", *ours],
        "gltf-transform": [str(PEERS / "gltf-transform"), "optimize", str(source), str(target), *GT_FLAGS],
        "gltf-pipeline": [*pipeline, "-d", "--draco.compressionLevel", "7"],
        "gltfpack -cc": [str(PEERS / "gltfpack"), "-i", str(source), "-o", str(target), "-cc"],
    }


def main() -> None:
    """Measure, print, and perhaps write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--views", type=int, default=24, help="0: do not compare pictures")
    parser.add_argument("--write", action="store_true", help="put the table into docs/optimizer.md")
    options = parser.parse_args()
    missing = [
        name for name in ("gltf-transform", "gltf-pipeline", "gltfpack") if not (PEERS / name).exists()
    ]
    if missing:
        parser.error(f"{', '.join(missing)} not found: run npm install --prefix bench")
    lines = [_machine(options.rounds, options.views), "", *HEAD]
    with tempfile.TemporaryDirectory() as folder:
        for source in _sources(options.folder, Path(folder)):
            rows = _measure_file(source, Path(folder), options.rounds, options.views)
            lines += [row.text(source.stem, tool) for tool, row in rows.items()]
            print("\n".join(lines[-len(rows) :]), flush=True)
    if options.write:
        before, _, rest = DOCUMENT.read_text().partition(MARKS[0])
        table = "\n".join([MARKS[0], "", *lines, "", MARKS[1]])
        DOCUMENT.write_text(before + table + rest.partition(MARKS[1])[2])


def _machine(rounds: int, views: int) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("dracopy", "pillow", "numpy"))
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}; "
        f"peers as in bench/package.json; medians of {rounds} rounds, SSIM over {views} views."
    )


def _sources(folder: Path, made: Path) -> Iterator[Path]:
    sources = sorted(folder.glob("*.glb"))
    yield from sources
    for source in sources:
        if b"image/png" in source.read_bytes()[:100_000]:
            yield _apart(_doubled, source, made / f"{source.stem}-4096.glb")
            return


def _apart(work: Callable[..., Any], *args: object) -> Any:
    """Do memory-hungry work in a process of its own: Linux counts a parent's size as its children's peak."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *args).result()


def _doubled(source: Path, target: Path) -> Path:
    """The same model with its maps enlarged twice (Lanczos), as PNG."""
    with Model(source) as model:
        for number, image in enumerate(model.json["images"]):
            picture = Image.open(io.BytesIO(model.image_bytes(number)))
            larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
            content = io.BytesIO()
            larger.save(content, "PNG")
            model.replace_view(image["bufferView"], content.getvalue())
        write_glb(model, target)
    return target


def _measure_file(source: Path, folder: Path, rounds: int, views: int) -> dict[str, Row]:
    targets = {tool: folder / f"{at}.glb" for at, tool in enumerate(tools(source, source))}
    rows = {tool: Row() for tool in targets}
    for _ in range(rounds):
        for tool, target in targets.items():
            rows[tool].runs.append(_run(tools(source, target)[tool]))
            rows[tool].bytes_out = target.stat().st_size
    if views:
        for target, likes in _apart(measure, source, list(targets.values()), views).items():
            row = next(row for tool, row in rows.items() if targets[tool] == target)
            row.worst = min(like.ssim for like in likes)
            row.mean = statistics.mean(like.ssim for like in likes)
    return rows


def _run(command: list[str]) -> Run:
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status:
        message = process.stderr.read().decode() if process.stderr else ""
        raise SystemExit(f"{' '.join(command)} failed: {message[-500:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
