"""The one error of this package: the file itself is at fault, so trying again will not help."""

from __future__ import annotations


class BadModel(Exception):
    """A model file that we refuse. `str()` is a sentence for people, `code` a word for programs.

    Codes: not_glb, damaged, external, unsupported, too_large, empty.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def damaged(place: str, what: str) -> BadModel:
    """The file breaks the glTF rules at `place` (such as `accessors[3].count`)."""
    return BadModel(
        f"The model file is damaged: {place} {what}. It cannot be displayed. "
        "Generate or export the model again.",
        "damaged",
    )


def too_large(place: str, what: str) -> BadModel:
    """The file needs more memory or time than a small host has."""
    return BadModel(
        f"The model file is too large: {place} {what}. Generate or export a simpler model.", "too_large"
    )


def unsupported(place: str, what: str) -> BadModel:
    """The file may be valid, but browsers could not display it."""
    return BadModel(
        f"The model file uses a feature that browsers do not support: {place} {what}. "
        "Export the model without it.",
        "unsupported",
    )
