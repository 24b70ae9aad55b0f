"""`python -m acr3d.optimize IN.glb OUT.glb [--level light [--no-blender]] [--ar AR.glb] [--turn x90]
[--size-mm 142x171x184] [--to-scale] [--json]`, or `--check IN.glb`.

It prints a report for people. With --json it follows the protocol of acr3d's child processes: lines of
`{"progress": n}`, then `{"report": …}` (exit 0) or `{"error": "…", "code": "…"}` (exit 3).
The number of threads is ACR3D_THREADS (default: two, or one on a single core).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

from acr3d.messages.message import Message
from acr3d.messages.refusal import written

REFUSED_EXIT = 3
_MEMORY_BYTES = 400 << 20
# Ten times as much as the slowest valid file took. A forged Draco stream can keep the decoder busy forever.
_CPU_SECONDS = 150.0
_LEVELS = "web: all triangles, small textures (default); light: for phones; full: textures without loss"
_SHORTEST_MM, _LONGEST_MM = 0.001, 1_000_000
_M_MMAP_THRESHOLD, _MMAP_THRESHOLD = -3, 1 << 20


def main(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    _limit_time(options.json)
    from acr3d.gltf.errors import BadModel

    try:
        report = _run(options)
    except BadModel as error:
        return _refuse(error.message, error.code, options.json)
    except MemoryError:
        return _refuse(Message("model_file.too_much_memory"), "too_large", options.json)
    _print_report(report, options.json)
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m acr3d.optimize", description="Optimize a GLB file for the web."
    )
    parser.add_argument("source", type=Path, metavar="IN.glb")
    parser.add_argument("target", type=Path, nargs="?", metavar="OUT.glb")
    parser.add_argument("--level", choices=["web", "light", "full"], default="web", help=_LEVELS)
    parser.add_argument(
        "--size-mm",
        type=_size,
        default=(None, None, None),
        metavar="WxHxD",
        help="the part's width, height and depth; '-' if unknown (142x-x184; --size-mm=-x171x184)",
    )
    parser.add_argument(
        "--to-scale", action="store_true", help="the file is measured: without --size-mm it keeps its size"
    )
    parser.add_argument(
        "--ar",
        type=Path,
        metavar="AR.glb",
        help="also write a file for AR: core glTF with JPEG and PNG textures",
    )
    parser.add_argument(
        "--turn",
        default="",
        metavar="x90[,y180…]",
        help="turn the model by right angles about the world's axes, in this order; its front should face +Z",
    )
    parser.add_argument(
        "--no-blender", action="store_true", help="level light: do not bake lost detail into the normal map"
    )
    parser.add_argument("--check", action="store_true", help="only check the file and report on it")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args(argv)
    if options.check == (options.target is not None):
        parser.error("give IN.glb and OUT.glb, or --check and IN.glb alone")
    if options.check and (any(options.size_mm) or options.turn or options.ar or options.to_scale):
        parser.error("--check changes nothing, so --size-mm, --to-scale, --turn and --ar need OUT.glb")
    if not options.source.is_file():
        parser.error(f"file not found: {options.source}")
    _limit_memory()
    from acr3d.gltf.orientation import Turn

    try:
        options.turn = Turn.parse(options.turn)
    except ValueError as error:
        parser.error(f"argument --turn: {error}")
    return options


def _size(text: str) -> tuple[float | None, ...]:
    """`142x-x184` as numbers, None for an unknown side. Raises ArgumentTypeError."""
    sides = text.split("x")
    if len(sides) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHTxDEPTH, such as 142x171x184")
    return tuple(None if side == "-" else _millimetres(side) for side in sides)


def _millimetres(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if _SHORTEST_MM <= value <= _LONGEST_MM:
            return value
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a length from {_SHORTEST_MM} to {_LONGEST_MM} mm; use '-' if it is unknown"
    )


def _limit_memory() -> None:
    """Use at most 400 MB, whatever the caller allows, and return large blocks as soon as they are freed."""
    # If memory is short, allocating a second thread's buffers would end the process without a message.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # The hard limit stays, so that a child process that bakes may use more.
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [each for each in (_MEMORY_BYTES, soft) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(allowed), hard))
    # glibc keeps freed blocks of up to 32 MB unless its threshold is fixed. Other libraries have no mallopt.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)


def _limit_time(is_json: bool) -> None:
    """Stop with a message when the work takes too long, even inside a decoder that never returns.

    The native libraries (Draco, meshoptimizer, libjpeg, libpng, libwebp) all release the GIL.
    """
    threading.Thread(target=_watch, args=(is_json,), daemon=True).start()


def _watch(is_json: bool) -> None:
    while time.process_time() < _CPU_SECONDS:
        time.sleep(min(1.0, _CPU_SECONDS / 10))
    _refuse(Message("model_file.too_slow"), "too_large", is_json)
    sys.stderr.flush()
    os._exit(REFUSED_EXIT)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from acr3d.optimize import pipeline
    from acr3d.optimize.steps.real_size import RealSize
    from acr3d.sandbox import default_threads

    if options.check:
        return pipeline.check(options.source)
    progress = _print_progress if options.json else _ignore
    size = RealSize(*options.size_mm)
    return pipeline.optimize(
        options.source,
        options.target,
        options.level,
        default_threads(),
        progress,
        size,
        options.turn,
        options.ar,
        may_bake=not options.no_blender,
        is_to_scale=options.to_scale,
    )


def _ignore(_: int) -> None: ...


def _print_progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)


def _print_report(report: dict[str, Any], is_json: bool) -> None:
    from acr3d.optimize.report import as_text

    print(json.dumps({"report": report}) if is_json else as_text(report), flush=True)


def _refuse(message: Message, code: str, is_json: bool) -> int:
    if is_json:
        print(written(message, code), flush=True)
    else:
        print(message, file=sys.stderr)
    return REFUSED_EXIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
