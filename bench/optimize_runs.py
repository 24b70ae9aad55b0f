"""One tool and one file: what the process needed, and how close its result is to the source."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.fidelity.__main__ import measure
from bench.fidelity.compare import Likeness

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "node_modules" / ".bin"
OURS_1, OURS, GT, PIPELINE = "acr3d, 1 thread", "acr3d, 2 threads", "gltf-transform", "gltf-pipeline"
_GT_FLAGS = ("--compress", "draco", "--texture-compress", "webp", "--simplify", "false")


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, and its largest resident size in MB (children's not added)."""

    wall: float
    cpu: float
    peak_mb: float


@dataclass
class Row:
    """One tool with one file over all rounds. The likeness is None if no views were compared."""

    runs: list[Run] = field(default_factory=list)
    bytes_out: int = 0
    likes: list[Likeness] = field(default_factory=list)

    def median(self, name: str) -> float:
        """The median of a field of the runs."""
        return statistics.median(getattr(run, name) for run in self.runs)

    @property
    def worst(self) -> float | None:
        """SSIM of the worst view."""
        return min(like.ssim for like in self.likes) if self.likes else None

    def effort(self) -> list[str]:
        """Wall and CPU seconds and peak memory, as cells."""
        return [
            f"{self.median('wall'):.2f}",
            f"{self.median('cpu'):.2f}",
            f"{self.median('peak_mb'):.0f}",
        ]

    def likeness(self) -> list[str]:
        """Worst and mean SSIM and the mean difference of colours, as cells."""
        if not self.likes:
            return ["–", "–", "–"]
        ssims, colours = [like.ssim for like in self.likes], [like.colour for like in self.likes]
        return [f"{min(ssims):.4f}", f"{statistics.mean(ssims):.4f}", f"{statistics.mean(colours):.2f}"]


def ours(source: Path, target: Path, threads: int, *options: str) -> list[str]:
    """Our own command line."""
    command = [sys.executable, "-m", "acr3d.optimize", *options, str(source), str(target)]
    return ["env", f"ACR3D_THREADS={threads}", *command]


def gltfpack(source: Path, target: Path, *options: str) -> list[str]:
    """gltfpack's command line."""
    return [str(PEERS / "gltfpack"), "-i", str(source), "-o", str(target), "-cc", *options]


def tools(source: Path, target: Path) -> dict[str, list[str]]:
    """Every tool's command line for one file."""
    pipeline = [str(PEERS / "gltf-pipeline"), "-i", str(source), "-o", str(target)]
    return {
        OURS_1: ours(source, target, 1),
        OURS: ours(source, target, 2),
        GT: [str(PEERS / "gltf-transform"), "optimize", str(source), str(target), *_GT_FLAGS],
        PIPELINE: [*pipeline, "-d", "--draco.compressionLevel", "7"],
        "gltfpack -cc": gltfpack(source, target),
    }


def missing_peers() -> list[str]:
    """The tools that are not installed."""
    return [name for name in ("gltf-transform", "gltf-pipeline", "gltfpack") if not (PEERS / name).exists()]


def measure_file(source: Path, folder: Path, rounds: int, views: int) -> dict[str, Row]:
    """Run all tools on one file, in turns."""
    targets = {tool: folder / f"{at}.glb" for at, tool in enumerate(tools(source, source))}
    rows = {tool: Row() for tool in targets}
    for _ in range(rounds):
        for tool, target in targets.items():
            rows[tool].runs.append(run(tools(source, target)[tool]))
            rows[tool].bytes_out = target.stat().st_size
    for tool, likes in compared(source, targets, views).items():
        rows[tool].likes = likes
    return rows


def compared(source: Path, targets: dict[str, Path], views: int) -> dict[str, list[Likeness]]:
    """How close each target is to its source; empty without views."""
    if not views:
        return {}
    found = apart(measure, source, list(targets.values()), views)
    return {tool: found[target] for tool, target in targets.items()}


def apart(work: Callable[..., Any], *args: object) -> Any:
    """Run work in its own process, because Linux counts a parent's size as its children's peak."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *args).result()


def run(command: list[str]) -> Run:
    """Run a command; it must succeed."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status:
        message = process.stderr.read().decode() if process.stderr else ""
        raise SystemExit(f"{' '.join(command)} failed: {message[-500:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
