"""Measure time and memory of converting photos: `python -m bench.photos FILE…`.

Each file is converted in a child process, as an upload is, but without its limits. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_START = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
"""Starts the child from a small process: until then a child's peak is that of its parent."""
_NO_LIMIT_SECONDS = "3600"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    print("| file | outcome | seconds | of processor | peak, MB |")
    print("|---|---|---|---|---|")
    for file in parser.parse_args().files:
        print("| " + " | ".join([file.name, *measured(file)]) + " |", flush=True)


def measured(file: Path) -> tuple[str, ...]:
    """The outcome, wall seconds, processor seconds, and the peak of resident memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(file, Path(folder) / "upload")
        converter = [sys.executable, "-m", "acr3d.photos", _NO_LIMIT_SECONDS, folder]
        start = time.monotonic()
        child = subprocess.Popen([sys.executable, "-c", _START, *converter], stdout=subprocess.PIPE)
        answer = child.stdout.read() if child.stdout else b""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    processor = usage.ru_utime + usage.ru_stime
    return _outcome(answer), f"{seconds:.1f}", f"{processor:.1f}", str(usage.ru_maxrss // 1000)


def _outcome(answer: bytes) -> str:
    if not answer:
        return "broke off"
    (photo,) = json.loads(answer)["report"]["photos"]
    if "refused" in photo:
        return str(photo["refused"]["code"])
    return f"{photo['width_px']} × {photo['height_px']}"


if __name__ == "__main__":
    main()
