"""Marking a text for translation where it is written, though it is translated elsewhere."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it, which pybabel looks for
    """`text` itself; pybabel puts it into the catalogue of translations."""
    return text
