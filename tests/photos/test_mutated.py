"""Whatever is wrong with a file, it is either kept or refused with a sentence."""

from __future__ import annotations

import contextlib
import io
import random

import pytest

from acr3d.photos import sanitize
from tests.support.pictures import heic, in_scans, quarters, saved
from tests.support.proof import dose

SEED = 20261129
_HEADER_BYTES = 600


def files() -> list[bytes]:
    small = quarters((400, 300))
    usual = [saved(small, kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")]
    tiffs = [saved(small, "TIFF", compression=one) for one in ("tiff_lzw", "jpeg", "tiff_adobe_deflate")]
    others = [
        heic(small),
        in_scans(12),
        saved(small.convert("CMYK"), "JPEG"),
        saved(small.quantize(16), "BMP"),
    ]
    return [stream.getvalue() for stream in (*usual, *tiffs, *others)]


def mutated(file: bytes, rng: random.Random) -> io.BytesIO:
    data = bytearray(file)
    reach = min(len(data), _HEADER_BYTES) if rng.random() < 0.7 else len(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        data[rng.randrange(reach)] = rng.choice((0, 255, rng.randrange(256)))
    end = rng.randrange(1, len(data)) if rng.random() < 0.2 else len(data)
    return io.BytesIO(bytes(data[:end]))


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore")  # Pillow's, which nobody sees in a child process
def test_a_mutated_file_raises_nothing_but_a_refusal() -> None:
    rng = random.Random(SEED)
    for file in files():
        for _ in range(dose(2000, small=20)):
            with contextlib.suppress(sanitize.PhotoRefused):
                sanitize.clean(mutated(file, rng))
