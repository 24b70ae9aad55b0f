"""From videos or photos to a capture: pictures worth keeping, their lens, and where each was taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.capture_sheet.layout import Sheet
from acr3d.messages.message import Message
from acr3d.spin import choice, rings, videos
from acr3d.spin.advice import Found, advice
from acr3d.spin.camera import Camera, Lens
from acr3d.spin.capture_file import FRAMES, Capture, Frame, write_capture
from acr3d.spin.errors import SpinError
from acr3d.spin.markers import FEWEST_MARKERS, Sighting, find, which_sheet
from acr3d.spin.picture import Picture, is_photo, read_photo
from acr3d.spin.poses import FEWEST_OF_LENS, Posed, lenses_of, place, refined
from acr3d.spin.request import Upload

Floats = NDArray[np.float64]

FEWEST_FRAMES = 8
LEAST_COVERAGE = 0.7
_QUALITY = 95
_LEAST_SHOWING = 0.25  # of the pictures must show the sheet; before and after a walk some do not
_BLURRED = 1.4  # times the edges' width in the sharper pictures
_MOST_WIDTH = 0.0033  # of the longest side: over how much an edge may blur
_SEEING, _PLACING = 80, 85  # per cent of the work


@dataclass(frozen=True)
class Candidate:
    """A picture that may be kept, written to `file`, and the markers in it."""

    file: Path
    upload: Upload
    seconds: float
    sighting: Sighting


@dataclass
class Seen:
    """What was in the uploads: pictures with markers, and how many there were of all."""

    candidates: list[Candidate] = field(default_factory=list)
    frames: int = 0
    notes: list[Message] = field(default_factory=list)


def read(uploads: Sequence[Upload], folder: Path) -> dict[str, Any]:
    """Write `frames/` and `capture.json` into the folder and return the report. Raises SpinError."""
    (folder / FRAMES).mkdir(exist_ok=True)
    seen = _look(uploads, folder / FRAMES)
    if not seen.frames:
        raise SpinError("spin.no_frames")
    sheet = which_sheet([one.sighting for one in seen.candidates])
    showing = _with_sheet(sheet, seen.candidates)
    sharp = _sharp(showing)
    _progress(_SEEING)
    lenses = lenses_of(sheet, [one.sighting for one in sharp])
    if odd := [one for one in sharp if one.sighting.size not in lenses]:
        seen.notes.append(Message("spin.odd_size", n=len(odd), fewest=FEWEST_OF_LENS))
    placed = _placed(sheet, sharp, lenses)
    _progress(_PLACING)
    kept = refined(sheet, [one.sighting for one, _ in placed], [camera for _, camera in placed])
    frames = [(one, posed) for (one, _), posed in zip(placed, kept, strict=True) if posed is not None]
    if len(frames) < FEWEST_FRAMES:
        raise SpinError("spin.no_one_lens")
    capture = _written(sheet, frames, folder)
    found = Found(
        sheet,
        tuple(posed.camera for _, posed in frames),
        seen=len(seen.candidates),
        blurred=len(showing) - len(sharp),
    )
    _progress(100)
    return {
        "sheet": sheet.name,
        "frames_seen": seen.frames,
        "frames_kept": len(frames),
        "blurred": found.blurred,
        "cut_off": found.cut_off,
        "without_sheet": len(seen.candidates) - len(showing),
        "rings": [{"elevation": round(ring.elevation, 1), "gaps": ring.gaps} for ring in found.rings],
        "coverage": round(found.coverage, 3),
        "pose_error_mm": round(_pose_error(sheet, frames), 2),
        "best": _best(capture),
        "notes": [note.as_json() for note in (*seen.notes, *advice(found))],
    }


def _look(uploads: Sequence[Upload], folder: Path) -> Seen:
    """Find the markers in every picture, and keep each picture as a file until it is clear which are used."""
    seen = Seen()
    photos = [upload for upload in uploads if is_photo(upload.path)]
    looked = [(one, videos.look(one.path, one.name)) for one in uploads if one not in photos]
    work = len(photos) + sum(min(video.packets, videos.MOST_STRETCHES) for _, video in looked)
    for upload, picture in _pictures(looked, photos, seen):
        file = folder / f"candidate-{len(seen.candidates):04d}.jpg"
        pixels = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(file), pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        seen.candidates.append(Candidate(file, upload, picture.seconds, find(picture.pixels)))
        _progress(min(_SEEING, _SEEING * len(seen.candidates) // max(work, 1)))
    return seen


def _pictures(
    looked: Sequence[tuple[Upload, videos.Video]], photos: Sequence[Upload], seen: Seen
) -> Iterator[tuple[Upload, Picture]]:
    for upload in photos:
        try:
            picture = read_photo(upload.path, upload.name)
        except SpinError:
            seen.notes.append(Message("spin.photo_left_out", name=upload.name))
            continue
        seen.frames += 1
        yield upload, picture
    for upload, video in looked:
        for picture in videos.pictures(video):
            yield upload, picture
        if not video.frames_decoded:
            raise SpinError("spin.video_broken", name=upload.name)
        seen.frames += video.packets
        if video.is_cut_off:
            seen.notes.append(Message("spin.file_cut_off", name=upload.name))


def _with_sheet(sheet: Sheet, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that show enough of the sheet, with its markers only. Raises SpinError when they are too few."""
    showing = []
    for one in candidates:
        sighting = one.sighting.on(sheet).flat(sheet)
        if len(sighting.ids) >= FEWEST_MARKERS:
            showing.append(Candidate(one.file, one.upload, one.seconds, sighting))
    if len(showing) < max(min(FEWEST_FRAMES, len(candidates)), _LEAST_SHOWING * len(candidates)):
        raise SpinError("spin.sheet_covered")
    return showing


def _sharp(showing: Sequence[Candidate]) -> list[Candidate]:
    """Those that are not blurred. Raises SpinError when they are too few."""
    widths = np.array([one.sighting.edge_width for one in showing])
    usual = _BLURRED * float(np.quantile(widths, 0.25))
    sharp = [
        one
        for one in showing
        if one.sighting.edge_width <= min(usual, _MOST_WIDTH * max(one.sighting.width, one.sighting.height))
    ]
    if len(sharp) < FEWEST_FRAMES:
        if len(sharp) < len(showing) / 2:
            raise SpinError("spin.blurred", sharp=len(sharp), n=len(showing))
        raise SpinError("spin.too_few", n=len(sharp), fewest=FEWEST_FRAMES)
    return sharp


def _placed(
    sheet: Sheet, sharp: Sequence[Candidate], lenses: dict[tuple[int, int], Lens]
) -> list[tuple[Candidate, Camera]]:
    """The chosen pictures with their first cameras. Raises SpinError when they do not go round the part."""
    placed = []
    for one in sharp:
        lens = lenses.get(one.sighting.size)
        camera = place(sheet, one.sighting, lens) if lens else None
        if camera is not None:
            placed.append((one, camera))
    if len(placed) < FEWEST_FRAMES:
        raise SpinError("spin.too_few", n=len(placed), fewest=FEWEST_FRAMES)
    places = np.array([camera.place for _, camera in placed])
    covered = rings.coverage(places)
    if covered < LEAST_COVERAGE:
        raise SpinError("spin.part_of_the_way", percent=round(100 * covered))
    chosen = choice.spread(places, [one.sighting.sharpness for one, _ in placed])
    return [placed[i] for i in chosen]


def _written(sheet: Sheet, frames: Sequence[tuple[Candidate, Posed]], folder: Path) -> Capture:
    """Give the kept pictures their names, and write their cameras beside them."""
    kept = []
    for number, (one, posed) in enumerate(frames):
        name = f"{number:03d}.jpg"
        one.file.rename(folder / FRAMES / name)
        kept.append(
            Frame(
                name,
                posed.camera,
                posed.residual_px,
                posed.markers,
                one.sighting.sharpness,
                one.upload.name,
                one.seconds,
            )
        )
    for left in (folder / FRAMES).glob("candidate-*.jpg"):
        left.unlink()
    capture = Capture(sheet.name, tuple(kept), folder)
    write_capture(capture)
    return capture


def _pose_error(sheet: Sheet, frames: Sequence[tuple[Candidate, Posed]]) -> float:
    """An estimate, mm: how far a camera moves when only every other marker counts."""
    errors = []
    for one, posed in frames:
        halves = [
            place(sheet, one.sighting.only(one.sighting.ids % 2 == rest), posed.camera.lens)
            for rest in (0, 1)
            if np.count_nonzero(one.sighting.ids % 2 == rest) >= FEWEST_MARKERS
        ]
        if len(halves) == 2 and halves[0] is not None and halves[1] is not None:
            errors.append(np.linalg.norm(halves[0].place - halves[1].place))
    return float(np.median(errors)) if errors else 0.0


def _best(capture: Capture) -> list[str]:
    places = np.array([frame.camera.place for frame in capture.frames])
    return [
        capture.frames[i].file for i in rings.best_four(places, [frame.sharpness for frame in capture.frames])
    ]


def _progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)
