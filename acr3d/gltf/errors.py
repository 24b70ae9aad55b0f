"""The one error of this package: the file itself is at fault and will be tomorrow too."""

from __future__ import annotations


class BadModel(Exception):
    """A model file that we refuse. `str()` is a sentence for a person; `code` is a word for programs.

    Codes: not_glb, damaged, external, unsupported, too_large, empty.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def damaged(place: str, what: str) -> BadModel:
    """The file breaks the glTF rules at `place` (such as `accessors[3].count`)."""
    return BadModel(
        f"The model file is damaged: {place} {what}. It cannot be shown; generate or export it again.",
        "damaged",
    )


def too_large(place: str, what: str) -> BadModel:
    """The file asks for more than a small host can give."""
    return BadModel(
        f"The model file is too large to work on: {place} {what}. Generate or export a lighter model.",
        "too_large",
    )


def unsupported(place: str, what: str) -> BadModel:
    """The file may be right, but neither we nor a browser could show it."""
    return BadModel(
        f"The model file uses something that browsers cannot show: {place} {what}. Export it without that.",
        "unsupported",
    )
