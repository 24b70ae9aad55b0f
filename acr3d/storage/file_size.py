"""A file's size for people."""

from __future__ import annotations

from flask_babel import format_decimal


def file_size(size: int) -> str:
    """Bytes in the unit that people use for them."""
    if size < 100_000:
        return f"{format_decimal(round(size / 1000, 1))} kB"
    return f"{format_decimal(round(size / 1_000_000, 1))} MB"
