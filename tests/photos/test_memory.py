"""Memory: the child that converts a photo stays small, and no decoder loads that nobody needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pictures import png

CONVERT = """
import sys
from acr3d.photos import __main__ as converter

converter.main(sys.argv)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))  # kB
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_picture_is_held_once(tmp_path: Path, is_whole: bool) -> None:
    file = tmp_path / "upload"
    content = png((4000, 3000), 8, 6, b"\x50\x60\x70\xff" * 4000).getvalue()  # 48 MB of pixels
    file.write_bytes(content if is_whole else content[:-3000])

    command = [sys.executable, "-c", CONVERT, "20", str(tmp_path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    assert (tmp_path / "photo.jpg").exists() == is_whole
    assert int(answer.stdout.split()[-1]) < 130_000


def test_heic_costs_nothing_until_one_comes_and_numpy_never_loads() -> None:
    code = "import sys, acr3d.photos.sanitize; print('pillow_heif' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "False"]
