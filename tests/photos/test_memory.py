"""Memory: one picture at a time, and no decoder that nobody needs."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from acr3d.photos import sanitize
from tests.support.pictures import png, quarters, saved

EIGHT_AT_ONCE = """
import io, sys, threading
from acr3d.photos import sanitize as photos

def upload():
    with open(sys.argv[1], "rb") as stream:
        try:
            photos.clean(stream)
        except photos.PhotoRefused as refusal:
            refused.append(refusal)

refused = []
threads = [threading.Thread(target=upload) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(len(refused), int(status["VmHWM"].split()[0]) // 1000, int(status["VmRSS"].split()[0]) // 1000)
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_eight_uploads_at_once_hold_the_memory_of_one(tmp_path: Path, is_whole: bool) -> None:
    stream = png((4000, 3000), 8, 6, b"\x50\x60\x70\xff" * 4000)  # 48 MB of pixels each
    path = tmp_path / "photo.png"
    path.write_bytes(stream.getvalue() if is_whole else stream.getvalue()[:-3000])

    answer = subprocess.run(
        [sys.executable, "-c", EIGHT_AT_ONCE, str(path)], check=True, capture_output=True, text=True
    )

    refused, peak, afterwards = (int(number) for number in answer.stdout.split())
    assert refused == (0 if is_whole else 8)
    assert peak < 140
    assert afterwards < 60


def test_only_one_picture_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = [], []
    decode = sanitize.decoded

    def counted(stream: io.BytesIO) -> object:
        inside.append(stream)
        most.append(len(inside))
        pixels = decode(stream)
        inside.pop()
        return pixels

    monkeypatch.setattr(sanitize, "decoded", counted)
    threads = [
        threading.Thread(target=lambda: sanitize.clean(saved(quarters((1500, 1500)), "PNG")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 6
    assert max(most) == 1


def test_heic_costs_nothing_until_one_comes_and_numpy_never_loads() -> None:
    code = "import sys, acr3d.photos.sanitize; print('pillow_heif' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "False"]
