"""`python -m acr3d.optimize IN.glb OUT.glb [--level web] [--size-mm 142x171x184] [--json]`; `--check IN.glb`.

For a person it prints a report; with --json it speaks as the children of acr3d do: lines of
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
from pathlib import Path
from typing import Any

REFUSED_EXIT = 3
_MEMORY_BYTES = 400 << 20
_SHORTEST_MM, _LONGEST_MM = 0.001, 1_000_000
_M_MMAP_THRESHOLD, _MMAP_THRESHOLD = -3, 1 << 20


def main(argv: list[str]) -> int:
    """Run the command line; return the exit code."""
    options = _arguments(argv)
    _limit_memory()
    from .errors import BadModel

    try:
        report = _work(options)
    except BadModel as error:
        return _refuse(str(error), error.code, options.json)
    except MemoryError:
        return _refuse(
            "The model file is too large to work on here. Generate or export a lighter model.",
            "too_large",
            options.json,
        )
    _print_report(report, options.json)
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m acr3d.optimize", description="Make a GLB small.")
    parser.add_argument("source", type=Path, metavar="IN.glb")
    parser.add_argument("target", type=Path, nargs="?", metavar="OUT.glb")
    parser.add_argument("--level", choices=["web"], default="web", help="what the file is for (default: web)")
    parser.add_argument(
        "--size-mm",
        type=_size,
        default=(None, None, None),
        metavar="WxHxD",
        help="the part's width, height and depth, '-' for an unknown one (142x-x184; --size-mm=-x171x184)",
    )
    parser.add_argument("--check", action="store_true", help="only read the file and report on it")
    parser.add_argument("--json", action="store_true", help="print JSON lines for programs")
    options = parser.parse_args(argv)
    if options.check == (options.target is not None):
        parser.error("give IN.glb and OUT.glb, or --check and IN.glb alone")
    if options.check and any(options.size_mm):
        parser.error("--check changes nothing: give --size-mm together with OUT.glb")
    if not options.source.is_file():
        parser.error(f"there is no file {options.source}")
    return options


def _size(text: str) -> tuple[float | None, ...]:
    """`142x-x184` as numbers, None for an unknown side. Raises ArgumentTypeError."""
    sides = text.split("x")
    if len(sides) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not width x height x depth, such as 142x171x184")
    return tuple(None if side == "-" else _millimetres(side) for side in sides)


def _millimetres(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if _SHORTEST_MM <= value <= _LONGEST_MM:
            return value
    raise argparse.ArgumentTypeError(
        f"{text!r} is no length from {_SHORTEST_MM} to {_LONGEST_MM} mm; '-' is unknown"
    )


def _limit_memory() -> None:
    """Hold to 400 MB even when nobody set a limit, and give large blocks back as soon as they are freed."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, hard))
    # glibc keeps freed blocks of up to 32 MB to itself unless its threshold is fixed. Others have no mallopt.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)


def _work(options: argparse.Namespace) -> dict[str, Any]:
    from . import pipeline
    from .place import RealSize

    if options.check:
        return pipeline.check(options.source)
    progress = _print_progress if options.json else _ignore
    size = RealSize(*options.size_mm)
    return pipeline.optimize(options.source, options.target, options.level, _threads(), progress, size)


def _threads() -> int:
    value = os.environ.get("ACR3D_THREADS", "")
    return max(1, int(value)) if value.isdecimal() else min(2, os.cpu_count() or 1)


def _ignore(_: int) -> None: ...


def _print_progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)


def _print_report(report: dict[str, Any], is_json: bool) -> None:
    from .report import as_text

    print(json.dumps({"report": report}) if is_json else as_text(report), flush=True)


def _refuse(sentence: str, code: str, is_json: bool) -> int:
    if is_json:
        print(json.dumps({"error": sentence, "code": code}), flush=True)
    else:
        print(sentence, file=sys.stderr)
    return REFUSED_EXIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
