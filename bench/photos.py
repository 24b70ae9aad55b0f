"""Measure wall time and peak memory of converting photos: `python -m bench.photos FOLDER [--threads 8]`.

Each photo in FOLDER is converted in a fresh process by that many threads at once, each with its own open
file, like uploads in a web process. Prints a Markdown table. "Longest pause" is how long another Python
thread had to wait: the delay that a visitor's request would have.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from acr3d.photos import sanitize

_PAUSE_PROBE_SECONDS = 0.002


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="a folder of photos (or, inside, one photo)")
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    if arguments.path.is_file():
        print(json.dumps(measure(arguments.path, arguments.threads)))
        return
    print(
        f"| file | outcome | {arguments.threads} at once, s | peak, MB | afterwards, MB | longest pause, ms |"
    )
    print("|---|---|---|---|---|---|")
    for path in sorted(path for path in arguments.path.iterdir() if path.is_file()):
        print(row(path, arguments.threads))


def row(path: Path, threads: int) -> str:
    command = [sys.executable, "-m", "bench.photos", str(path), "--threads", str(threads)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(answer.stdout)
    return "| " + " | ".join([path.name, *(str(value) for value in figures.values())]) + " |"


def measure(path: Path, threads: int) -> dict[str, str | float]:
    """Convert `path` in `threads` threads at once. Sizes are this process's resident memory in MB."""
    outcomes: list[str] = []
    workers = [threading.Thread(target=lambda: outcomes.append(_outcome(path))) for _ in range(threads)]
    start = time.monotonic()
    for worker in workers:
        worker.start()
    pause = _longest_pause(workers)
    return {
        "outcome": " / ".join(sorted(set(outcomes))),
        "seconds": round(time.monotonic() - start, 2),
        "peak": _resident("VmHWM"),
        "afterwards": _resident("VmRSS"),
        "pause_ms": round(pause * 1000),
    }


def _outcome(path: Path) -> str:
    with path.open("rb") as stream:
        try:
            photo = sanitize.clean(stream)
        except sanitize.PhotoRefused as refusal:
            return refusal.code
    return f"{photo.width_px} × {photo.height_px}"


def _longest_pause(workers: list[threading.Thread]) -> float:
    longest = 0.0
    while any(worker.is_alive() for worker in workers):
        before = time.monotonic()
        time.sleep(_PAUSE_PROBE_SECONDS)
        longest = max(longest, time.monotonic() - before - _PAUSE_PROBE_SECONDS)
    return longest


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1000 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
