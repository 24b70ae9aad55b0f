"""Measure the photo checks: spoil photos of parts in known ways and count how often the check names the flaw.

    python -m bench.photo_checks SAMPLES_FOLDER [--misses]

SAMPLES_FOLDER has one folder per part with the six photos front.jpg … bottom.jpg and, for some parts,
`snapshot/` with another six. Flaws: a quarter of the part cut off at one side, or a blur of 0.4 % of the
longest side (each photo); the labels of front and right swapped; a photo replaced by the same side of another
part (each photo, each other part). `false` counts findings about the unchanged photos. Swaps that no outline
shows (of a round part) cannot be found.

Then the same for every choice of three to six photos: unchanged; with each photo in turn replaced by the same
side of another part (a different one each time); with every pair of labels swapped. At last, what is
gained by putting exchanged left and right back, and of how many choices of five and four photos it is asked.
"""

from __future__ import annotations

import argparse
import itertools
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter, ImageOps

from acr3d.photo_checks.inspection.check_photos import make_report
from acr3d.photo_checks.inspection.exchanged_sides import exchange_gain, seem_exchanged
from acr3d.photo_checks.inspection.inspect_photo import PhotoInspection, inspect_photo

ANGLES = ("front", "back", "left", "right", "top", "bottom")
SPOILT = ("cropped", "blurred", "swapped", "stranger")
CUTS = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class PhotoSet:
    """Six photos of one part and their inspections."""

    name: str
    kind: str
    paths: list[Path]
    inspections: list[PhotoInspection]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--misses", action="store_true", help="also print what was found instead")
    options = parser.parse_args()
    sets = list(read(options.samples))
    print(f"{'part':16} {'set':9} {'false':>6} " + " ".join(f"{way:>9}" for way in SPOILT) + "  seconds")
    named, tried = Counter[str](), Counter[str]()
    for one in sets:
        cells = []
        for way, outcomes in spoil_all(one, sets, misses=options.misses).items():
            named[way] += sum(outcomes)
            tried[way] += len(outcomes)
            cells.append(f"{sum(outcomes):4}/{len(outcomes):<4}")
        alarms = findings_of(make_report(one.inspections, ANGLES))
        named["false"] += len(alarms)
        print(
            f"{one.name:16} {one.kind:9} {len(alarms):6} {' '.join(cells)} {one.seconds:8.1f}", alarms or ""
        )
    rates = ", ".join(f"{way} {named[way]}/{tried[way]}" for way in SPOILT)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"false alarms {named['false']}; named: {rates}; peak {peak} MB\n")
    choices(sets)
    exchanges(sets)


def read(samples: Path) -> Iterator[PhotoSet]:
    for folder in sorted(path for path in samples.iterdir() if path.is_dir()):
        for kind, place in (("studio", folder), ("snapshot", folder / "snapshot")):
            paths = [place / f"{angle}.jpg" for angle in ANGLES]
            if all(path.exists() for path in paths):
                started = time.monotonic()
                inspections = [inspect_photo(path, place) for place, path in enumerate(paths)]
                yield PhotoSet(folder.name, kind, paths, inspections, time.monotonic() - started)


def choices(sets: list[PhotoSet]) -> None:
    """Print, for each number of photos, what is found in all choices of so many."""
    strange = "another part: named  pair  any   a correct one named"
    print(f"photos     unchanged: false   {strange}   swapped: named   any")
    for count in range(3, len(ANGLES) + 1):
        seen = Counter[str]()
        for one in sets:
            others = [other for other in sets if other.name != one.name and other.kind == one.kind]
            for number, chosen in enumerate(itertools.combinations(range(len(ANGLES)), count)):
                seen += choice_spoilt(one, others, chosen, number)
        print(
            f"{count:6} {seen['honest']:14} {seen['false']:5} {seen['strange']:15} {seen['named']:5} "
            f"{seen['pair']:5} {seen['found']:5} {seen['accused']:21} {seen['swaps']:9} {seen['swapped']:5} "
            f"{seen['swaps found']:5}",
            flush=True,
        )


def exchanges(sets: list[PhotoSet]) -> None:
    """Print what is gained by putting exchanged photos of left and right back, and how often it is asked."""
    other = {"left": "right", "right": "left"}
    print(
        "left and right exchanged: gain of six photos; asked of choices of five, four; asked of honest ones"
    )
    for one in sets:
        squares = {
            angle: inspection.square
            for angle, inspection in zip(ANGLES, one.inspections, strict=True)
            if inspection.square is not None
        }
        exchanged = {other.get(angle, angle): square for angle, square in squares.items()}
        cells, false = [], 0
        for count in (5, 4):
            chosen = [some for some in itertools.combinations(ANGLES, count) if {*other} <= {*some}]
            cells.append(sum(seem_exchanged({angle: exchanged[angle] for angle in some}) for some in chosen))
            false += sum(seem_exchanged({angle: squares[angle] for angle in some}) for some in chosen)
        false += seem_exchanged(squares)
        gain = exchange_gain(exchanged)
        print(f"{one.name:16} {one.kind:9} {gain:+.3f} {cells[0]:2}/4 {cells[1]:2}/4 {false:2}")


def choice_spoilt(
    one: PhotoSet, others: list[PhotoSet], chosen: tuple[int, ...], number: int
) -> Counter[str]:
    inspections, angles = [one.inspections[place] for place in chosen], [ANGLES[place] for place in chosen]
    seen = Counter[str](honest=1, false=len(findings_of(make_report(inspections, angles))))
    for place, angle in enumerate(chosen):
        other = others[(number + place) % len(others)]
        found = findings_of(make_report(replaced(inspections, place, other.inspections[angle]), angles))
        accused = [photos for code, photos in found if code == "stranger"]
        seen["strange"] += 1
        seen["named"] += (place,) in accused
        seen["pair"] += any(code == "unlike" and place in photos for code, photos in found)
        seen["found"] += bool(found)
        seen["accused"] += any(photos != (place,) for photos in accused)
    for pair in itertools.combinations(range(len(chosen)), 2):
        mixed = [*angles]
        mixed[pair[0]], mixed[pair[1]] = angles[pair[1]], angles[pair[0]]
        found = findings_of(make_report(inspections, mixed))
        seen["swaps"] += 1
        seen["swapped"] += ("swapped", pair) in found
        seen["swaps found"] += bool(found)
    return seen


def spoil_all(one: PhotoSet, sets: list[PhotoSet], *, misses: bool) -> dict[str, list[bool]]:
    """Per flaw, whether each attempt was named."""
    outcomes: dict[str, list[bool]] = {way: [] for way in SPOILT}

    def note(
        way: str, place: int, inspections: list[PhotoInspection], angles: tuple[str, ...], what: str
    ) -> None:
        codes = findings_of(make_report(inspections, angles))
        is_named = any(is_right(way, place, code) for code in codes)
        outcomes[way].append(is_named)
        if misses and not is_named:
            print(f"    {one.name} {one.kind}: {way} {ANGLES[place]} {what}: {codes}")

    for place in range(len(ANGLES)):
        for way, spoilt in spoil(one, place):
            note(way, place, replaced(one.inspections, place, spoilt), ANGLES, "")
        for other in sets:
            if other.name != one.name and other.kind == one.kind:
                inspections = replaced(one.inspections, place, other.inspections[place])
                note("stranger", place, inspections, ANGLES, other.name)
    swapped = ("right", "back", "left", "front", "top", "bottom")
    note("swapped", 0, one.inspections, swapped, "")
    return outcomes


def findings_of(result: dict[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    found = [finding for photo in result["photos"] for finding in photo["findings"]] + result["findings"]
    return [(finding["code"], tuple(finding["photos"])) for finding in found]


def is_right(way: str, place: int, finding: tuple[str, tuple[int, ...]]) -> bool:
    """Whether the finding names the flaw; for another part, also that the photo and its opposite differ."""
    code, photos = finding
    if way == "swapped":
        return code == "swapped" and photos == (0, 3)
    return place in photos and code in ({"stranger", "unlike"} if way == "stranger" else {way})


def replaced(inspections: list[PhotoInspection], place: int, other: PhotoInspection) -> list[PhotoInspection]:
    return [*inspections[:place], other, *inspections[place + 1 :]]


def spoil(one: PhotoSet, place: int) -> Iterator[tuple[str, PhotoInspection]]:
    with Image.open(one.paths[place]) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((2048, 2048))
    blurred = picture.filter(ImageFilter.GaussianBlur(0.004 * max(picture.size)))
    cut = cut_off(picture, one.inspections[place], CUTS[place % 4])
    with tempfile.TemporaryDirectory() as folder:
        for way, spoilt in (("cropped", cut), ("blurred", blurred)):
            path = Path(folder) / f"{way}.jpg"
            spoilt.save(path, quality=92)
            yield way, inspect_photo(path, place)


def cut_off(picture: Image.Image, inspection: PhotoInspection, side: str) -> Image.Image:
    """The picture without the quarter of the part that lies on `side`."""
    numbers = [float(text) for text in re.findall(r"[\d.]+", inspection.outline_path or "")]
    scale = picture.width / inspection.size[0]
    across, down = numbers[::2], numbers[1::2]
    left, right, top, bottom = (scale * edge for edge in (min(across), max(across), min(down), max(down)))
    width, height = (right - left) / 4, (bottom - top) / 4
    box = {
        "left": (left + width, 0, picture.width, picture.height),
        "top": (0, top + height, picture.width, picture.height),
        "right": (0, 0, right - width, picture.height),
        "bottom": (0, 0, picture.width, bottom - height),
    }[side]
    return picture.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
