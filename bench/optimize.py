"""Compare acr3d.optimize with peers: `python -m bench.optimize [FOLDER] [--rounds 5] [--views 24] [--write]`.

Every tool optimizes every GLB of FOLDER (default: ../shared/samples/raw), each in its own process, in turns.
One more file has 4096² PNG images, made from the first file with 2048² PNG images. Then acr3d and gltfpack
reduce the triangles to the same number, and if Blender is installed, level `light` runs with and without its
bake. Prints Markdown tables and whether each target is met; --write puts both into docs/optimizer.md. The
exit code is 1 if a target is missed. The other tools must be installed (npm install --prefix bench).
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from acr3d.optimize import meshoptimizer
from acr3d.optimize.blender import bake as blender
from acr3d.optimize.presets import PHONE_TRIANGLES
from bench import optimize_figures as figures
from bench.optimize_figures import Figure, Kind
from bench.optimize_files import enlarge_maps, geometry_bytes, has_png_maps, reduce_geometry, triangles_of
from bench.optimize_runs import ROOT, Row, apart, compared, gltfpack, measure_file, missing_peers, ours, run

DOCUMENT = ROOT / "docs" / "optimizer.md"
MARKS = ("<!-- made by bench/optimize.py -->", "<!-- end -->")
_RAW = ROOT.parent / "shared" / "samples" / "raw"
_LIKENESS = ("worst SSIM", "mean SSIM", "colour")
# With this much noise in its images the 4096² file is as large as a generator's.
_GRAIN = 0.3


def main() -> int:
    """Measure and print the tables; return the exit code."""
    options = _arguments()
    lines = [_machine(options.rounds, options.views)]
    sources = sorted(options.folder.glob("*.glb"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, found = _whole_files(sources, folder, options.rounds, options.views)
        found += _heavy(sources, folder)
        alone, more = _geometry_alone(sources, folder, options.views)
        found += more
        verdicts = [str(each) for each in found]
        lines += whole + alone
        if blender.why_unavailable() is None and options.views:
            baked, verdict = _with_blender(sources, folder, options.views)
            lines += baked
            verdicts.append(verdict)
    print("\n" + "\n".join(verdicts))
    if options.write:
        _write([*lines, "", *(f"- {verdict}" for verdict in verdicts)])
    return 0 if all(each.is_met for each in found) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=_RAW)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--views", type=int, default=24, help="0: do not compare pictures")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/optimizer.md")
    options = parser.parse_args()
    if missing_peers():
        parser.error(f"{', '.join(missing_peers())} not found: run npm install --prefix bench")
    return options


def _machine(rounds: int, views: int) -> str:
    names = ["dracopy", *(["almeshopt"] if meshoptimizer.is_available() else []), "pillow", "numpy"]
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}; "
        f"peers as in bench/package.json; medians of {rounds} rounds, SSIM over {views} views."
    )


def _whole_files(
    sources: list[Path], folder: Path, rounds: int, views: int
) -> tuple[list[str], list[Figure]]:
    """Every tool on every file."""
    lines = _say(["", *_head("file", "tool", "bytes", "wall s", "CPU s", "peak MB", *_LIKENESS)])
    found: list[Figure] = []
    for source, kind in _kinds(sources, folder):
        rows = measure_file(source, folder, rounds, views)
        lines += _say(
            _line(source.stem, tool, f"{row.bytes_out:,}", *row.effort(), *row.likeness())
            for tool, row in rows.items()
        )
        found += figures.beside_peers(source.stem, kind, rows)
    return lines, found


def _kinds(sources: list[Path], folder: Path) -> Iterator[tuple[Path, Kind]]:
    """Every file, and the larger one made from the first with PNG images."""
    for source in sources:
        yield source, Kind(has_png_maps(source), is_4096=False)
    source = _first_with_png(sources)
    if source:
        larger = folder / f"{source.stem}-4096.glb"
        apart(enlarge_maps, source, larger)
        yield larger, Kind(has_png=True, is_4096=True)


def _first_with_png(sources: list[Path]) -> Path | None:
    return next((source for source in sources if has_png_maps(source)), None)


def _heavy(sources: list[Path], folder: Path) -> list[Figure]:
    """The memory that one thread needs for a file as large as generators make them."""
    source, large = _first_with_png(sources), folder / "heavy.glb"
    if source is None:
        return []
    apart(enlarge_maps, source, large, _GRAIN)
    peak = run(ours(large, folder / "out.glb", 1)).peak_mb
    return [figures.heavy(large.stat().st_size / 1e6, peak)]


def _geometry_alone(sources: list[Path], folder: Path, views: int) -> tuple[list[str], list[Figure]]:
    """acr3d and gltfpack with the same number of triangles and the source's images."""
    lines = _say(["", *_head("file", "tool", "triangles", "geometry bytes", *_LIKENESS)])
    found: list[Figure] = []
    targets = {"acr3d": folder / "reduced.glb", "gltfpack -cc -si": folder / "packed.glb"}
    for source in sources:
        apart(reduce_geometry, source, targets["acr3d"], PHONE_TRIANGLES)
        ratio = triangles_of(targets["acr3d"]) / triangles_of(source)
        run(gltfpack(source, targets["gltfpack -cc -si"], "-si", f"{ratio:.6f}"))
        likes = compared(source, targets, views)
        rows = {tool: Row([], geometry_bytes(to), likes.get(tool, [])) for tool, to in targets.items()}
        lines += _say(
            _line(
                source.stem,
                tool,
                f"{triangles_of(to):,}",
                f"{rows[tool].bytes_out:,}",
                *rows[tool].likeness(),
            )
            for tool, to in targets.items()
        )
        found += figures.beside_gltfpack(source.stem, *rows.values())
    return lines, found


def _with_blender(sources: list[Path], folder: Path, views: int) -> tuple[list[str], str]:
    """Level `light` without and with the bake."""
    lines = _say(["", *_head("file", "level light", "bytes", *_LIKENESS)])
    gains = []
    ways = {"without Blender": ["--no-blender"], "with Blender": []}
    targets = {way: folder / f"light-{at}.glb" for at, way in enumerate(ways)}
    for source in sources:
        for way, target in targets.items():
            run(ours(source, target, 2, "--level", "light", *ways[way]))
        likes = compared(source, targets, views)
        rows = {way: Row([], target.stat().st_size, likes[way]) for way, target in targets.items()}
        lines += _say(_line(source.stem, way, f"{r.bytes_out:,}", *r.likeness()) for way, r in rows.items())
        without, with_it = (row.worst or 0.0 for row in rows.values())
        gains.append(with_it - without)
    return lines, figures.with_blender(gains)


def _head(*columns: str) -> list[str]:
    return [_line(*columns), "|---" * len(columns) + "|"]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _say(lines: Iterator[str] | list[str]) -> list[str]:
    """Print the lines at once; return them."""
    said = list(lines)
    print("\n".join(said), flush=True)
    return said


def _write(lines: list[str]) -> None:
    before, _, rest = DOCUMENT.read_text().partition(MARKS[0])
    table = "\n".join([MARKS[0], "", *lines, "", MARKS[1]])
    DOCUMENT.write_text(before + table + rest.partition(MARKS[1])[2])


if __name__ == "__main__":
    raise SystemExit(main())
