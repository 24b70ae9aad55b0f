"""Check the output of every level for every GLB of a folder: `python -m bench.optimize_outputs FOLDER`.

For each file and level, and its file for AR: errors of the Khronos validator, whether three.js and
<model-viewer> (headless Chromium) load it, how much the sides of its bounding box differ in each, and its
triangles. Prints a Markdown table; the exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error, Page

from acr3d.optimize import pipeline
from acr3d.optimize.presets import LEVELS
from bench.fidelity.views import open_page
from tests.support.browser import chromium
from tests.support.optimize_glbs import validator_errors

_MOST_OFF_PERCENT = 0.1
_COLUMNS = ("file", "level", "validator", "three.js: box off %", "triangles %", "model-viewer: box off %")
Box = tuple[NDArray[np.float64], float]  # the sides, and triangles where they are known


def main() -> int:
    """Check all files and print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    print(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        pages = open_page(browser, "page.html"), open_page(browser, "viewer.html")
        for source in sorted(options.folder.glob("*.glb")):
            for level, result in _results(source, Path(folder)):
                cells, is_right = _look(source, result, level, *pages)
                print(f"| {source.stem} | {level} | {' | '.join(cells)} |", flush=True)
                wrong += not is_right
    return 1 if wrong else 0


def _results(source: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    for level in LEVELS:
        out, ar = folder / f"{level}.glb", folder / f"{level}-ar.glb"
        report = pipeline.optimize(source, out, level, ar=ar)
        yield level, out
        if "left_out" not in report["ar"]:
            yield f"{level}, AR", ar


def _look(source: Path, result: Path, level: str, three: Page, viewer: Page) -> tuple[list[str], bool]:
    errors = len(validator_errors([result]))
    try:
        was, before = _in_three(three, source)
        is_, after = _in_three(three, result)
        in_viewer = _off(was, _in_viewer(viewer, result))
    except Error as error:
        return [f"{errors}", "does not load", "–", str(error).splitlines()[0]], False
    off, kept = _off(was, is_), 100 * after / before
    is_right = not errors and max(off, in_viewer) <= _MOST_OFF_PERCENT and (level != "web" or after == before)
    return [f"{errors}", f"{off:.4f}", f"{kept:.1f}", f"{in_viewer:.4f}"], is_right


def _in_three(page: Page, model: Path) -> Box:
    found = page.evaluate("path => window.load(path)", f"/model{model.resolve()}")
    return np.array(found["high"]) - np.array(found["low"]), found["triangles"]


def _in_viewer(page: Page, model: Path) -> NDArray[np.float64]:
    return np.array(page.evaluate("path => window.load(path)", f"/model{model.resolve()}"))


def _off(was: NDArray[np.float64], is_: NDArray[np.float64]) -> float:
    """Percent of the longest side."""
    return float(100 * np.abs(was - is_).max() / was.max())


if __name__ == "__main__":
    raise SystemExit(main())
