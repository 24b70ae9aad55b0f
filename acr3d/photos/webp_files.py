"""How a child hands over a photo's WebP files: FOLDER/<width>.webp. The server reads them without Pillow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def store(files: Mapping[int, bytes], folder: Path) -> None:
    for width, data in files.items():
        (folder / f"{width}.webp").write_bytes(data)


def read(widths: Iterable[int], folder: Path) -> dict[int, bytes]:
    """What `store` has written, by width in pixels."""
    return {width: (folder / f"{width}.webp").read_bytes() for width in widths}
