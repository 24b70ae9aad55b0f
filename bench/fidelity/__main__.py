"""`python -m bench.fidelity SOURCE.glb RESULT.glb…`: how similar each result looks, from all sides."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.fidelity.compare import Likeness, compare
from bench.fidelity.views import VIEWS, studio


def measure(source: Path, results: list[Path], views: int = VIEWS) -> dict[Path, list[Likeness]]:
    """One Likeness per view for every result."""
    with studio(views) as camera:
        truth = list(camera.pictures(source))
        return {
            result: [compare(true, seen) for true, seen in zip(truth, camera.pictures(result), strict=True)]
            for result in results
        }


def main() -> None:
    """Print worst and mean of every result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--views", type=int, default=VIEWS)
    options = parser.parse_args()
    print(f"{'result':<32} {'bytes':>10} {'worst SSIM':>11} {'mean SSIM':>10} {'colour':>7}")
    for result, likes in measure(options.source, options.results, options.views).items():
        ssims = [like.ssim for like in likes]
        colour = sum(like.colour for like in likes) / len(likes)
        length, mean = result.stat().st_size, sum(ssims) / len(ssims)
        print(f"{result.name:<32} {length:>10,} {min(ssims):>11.4f} {mean:>10.4f} {colour:>7.3f}")


if __name__ == "__main__":
    main()
