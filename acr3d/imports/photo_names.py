"""Which part a photo shows, by its file's name and folders: `SKU_front.jpg`, `SKU (3).JPG`, `front/SKU.jpg`.

A name is cut at its separators, and the beginnings are looked up among the SKUs. What fits two parts is not
guessed. A SKU's `/` may be `_` or `%2F` in a name, and so may other characters that no file name can have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from acr3d.parts.angle_words import guessed_angle
from acr3d.parts.skus import look

_UNNAMEABLE = re.compile(r'[/\\:*?"<>|]')
_END = re.compile(r"[_\-.\s(]+")
_NUMBER = re.compile(r"\d{1,3}")


@dataclass(frozen=True)
class Named:
    """What a photo's name says: the SKUs that it fits, the rest of the name, and its number (0: none)."""

    skus: tuple[str, ...]
    rest: str = ""
    number: int = 0


class SkuNames:
    """The SKUs that names of photos are looked up among."""

    def __init__(self, skus: Iterable[str]) -> None:
        self._skus: dict[str, set[str]] = {}
        for sku in skus:
            for key in {look(sku), look(_UNNAMEABLE.sub("_", sku))}:
                self._skus.setdefault(key, set()).add(sku)

    def read(self, path: str) -> Named:
        """What the path of a photo says; its folders count, too."""
        *folders, name = PurePosixPath(path).parts
        stem = unquote(name.rpartition(".")[0] or name)
        by_folder = {folder: skus for folder in folders if (skus := self._with(unquote(folder)))}
        words = " ".join(folder for folder in folders if folder not in by_folder)
        exact, loose = self._by_beginnings(stem)
        found = exact or loose
        in_folders = set[str]().union(*by_folder.values())
        if in_folders:
            # A folder decides, unless the name is plainly that of another part.
            others = {sku for sku in exact if not _NUMBER.fullmatch(sku)}
            found = {sku: exact.get(sku, stem) for sku in in_folders | others}
        fits = tuple(sorted(found))
        rest = found[fits[0]] if len(fits) == 1 else ""
        numbers = _NUMBER.findall(rest)
        return Named(fits, f"{words} {rest}".strip(), int(numbers[-1]) if numbers else 0)

    def _by_beginnings(self, stem: str) -> tuple[dict[str, str], dict[str, str]]:
        """The rest of the name by each SKU that it begins with: where that tells a photo, and else."""
        exact: dict[str, str] = {}
        loose: dict[str, str] = {}
        for end in [len(stem), *(found.start() for found in _END.finditer(stem))]:
            rest = stem[end:].strip("_-.( )")
            for sku in self._with(stem[:end]):
                (exact if _tells_a_photo(rest) else loose)[sku] = rest
        return exact, loose

    def _with(self, text: str) -> set[str]:
        return self._skus.get(look(text), set()) if text.strip() else set()


def _tells_a_photo(rest: str) -> bool:
    """Whether it is nothing but numbers and sides."""
    words = [word for word in re.split(r"[_\-.\s()]+", rest) if word]
    return all(_NUMBER.fullmatch(word) or guessed_angle(f"{word}.jpg") for word in words)
