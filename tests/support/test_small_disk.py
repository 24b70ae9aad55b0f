"""The disk that other tests fill: nothing of it outlives the run that made it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.site import ROOT

HANGING = """
import pathlib, sys
from tests.support.small_disk import small_disk

with small_disk(pathlib.Path(sys.argv[1])) as disk:
    print(type(disk).__name__, flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_leaves_no_mount_behind(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    command = [sys.executable, "-c", HANGING, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip() in (b"Tmpfs", b"Told")
        run.kill()

    shutil.rmtree(folder)
