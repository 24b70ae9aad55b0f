"""What one check of `flask doctor` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`mark` is `ok`, `!` (works, but see to it) or `✗` (does not work)."""

    mark: str
    text: str


def ok(text: str) -> Finding:
    """It works."""
    return Finding("ok", text)


def beware(text: str) -> Finding:
    """It works, but something should be done."""
    return Finding("!", text)


def broken(text: str) -> Finding:
    """It does not work."""
    return Finding("✗", text)
