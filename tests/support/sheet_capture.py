"""A part on the capture sheet, drawn from known cameras: a grey box on a sheet on a brown table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from acr3d.capture_sheet.drawing import black
from acr3d.capture_sheet.layout import A4, Sheet
from acr3d.spin.camera import Camera, Lens
from acr3d.spin.request import Upload

Box = tuple[tuple[float, float, float], tuple[float, float, float]]

LENS = Lens(960, 540, 780.0, (484.0, 266.0))
BOX = ((-28.0, -40.0, 0.0), (28.0, 40.0, 36.0))
_PIXELS_A_MM = 8
_HALF_MM = 260  # of the table
_GAMMA = 2.2
_TABLE, _PAPER, _INK, _PART = (56, 30, 18), (217, 217, 212), (5, 5, 5), (46, 51, 59)  # linear light


def look_at(azimuth: float, elevation: float, distance: float = 380.0, lens: Lens = LENS) -> Camera:
    """A camera that looks at the box from there; degrees and mm."""
    turn, rise = np.radians([azimuth, elevation])
    away = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
    target = np.array([0.0, 0.0, 12.0])
    forward = -away
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(lens, rotation, -rotation @ (target + away * distance))


def laps(
    count: int, elevations: Sequence[float] = (28.0, 54.0), way: float = 360.0, lens: Lens = LENS
) -> list[Camera]:
    """Cameras that walk `way` degrees round the box, once at each elevation."""
    each = count // len(elevations)
    return [
        look_at(way * (step + 0.3 * lap) / each, elevation + 2 * np.sin(step), lens=lens)
        for lap, elevation in enumerate(elevations)
        for step in range(each)
    ]


def table_with(*sheets: tuple[Sheet, float], skipped: Iterable[int] = ()) -> np.ndarray:
    """The table from above, in linear light: sheets, each with its centre's x, without `skipped` markers."""
    import cv2

    side = 2 * _HALF_MM * _PIXELS_A_MM
    table = np.full((side, side, 3), _TABLE, np.uint8)
    for sheet, centre in sheets:

        def pixel(x: float, y: float, centre: float = centre) -> tuple[int, int]:
            return round((x + centre + _HALF_MM) * _PIXELS_A_MM), round((_HALF_MM - y) * _PIXELS_A_MM)

        corners = pixel(-sheet.width / 2, sheet.height / 2), pixel(sheet.width / 2, -sheet.height / 2)
        cv2.rectangle(table, *corners, _PAPER, -1)
        covered = [sheet.corners()[number] for number in skipped]
        for left, top, width, height in black(sheet):
            if any(_holds(corners, left, top) for corners in covered):
                continue
            (x, y), (x_end, y_end) = pixel(left, top), pixel(left + width, top - height)
            table[y:y_end, x:x_end] = _INK
    return table


def photograph(
    camera: Camera, table: np.ndarray, shift: tuple[float, float] = (0, 0), boxes: Sequence[Box] = (BOX,)
) -> np.ndarray:
    """What the camera sees, (height, width, 3) RGB; the part, some boxes, has been pushed by `shift` mm."""
    import cv2

    zoom = 2  # and shrunk again, as a lens mixes light
    lens = camera.lens
    middle = _HALF_MM - 0.5 / _PIXELS_A_MM
    to_sheet = np.array([[1 / _PIXELS_A_MM, 0, -middle], [0, -1 / _PIXELS_A_MM, middle], [0, 0, 1.0]])
    plane = lens.matrix @ np.column_stack([camera.rotation[:, :2], camera.shift])
    larger = np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2], [0, 0, 1.0]])
    size = lens.width * zoom, lens.height * zoom
    seen = cv2.warpPerspective(table, larger @ plane @ to_sheet, size, flags=cv2.INTER_LINEAR)
    for box in boxes:
        corners = np.array(
            [[box[i][0], box[j][1], box[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
        )
        pixels, _ = camera.project(corners + np.array([*shift, 0]))
        outline = cv2.convexHull((pixels * zoom + (zoom - 1) / 2).astype(np.float32))
        cv2.fillConvexPoly(seen, outline.round().astype(np.int32), _PART)
    light = cv2.resize(seen, (lens.width, lens.height), interpolation=cv2.INTER_AREA)
    return (255 * (light / 255) ** (1 / _GAMMA)).round().astype(np.uint8)


def smeared(picture: np.ndarray, pixels: int) -> np.ndarray:
    """The picture as a camera that moves sideways takes it."""
    return np.stack([np.roll(picture, shift, 1) for shift in range(pixels)]).mean(0).astype(np.uint8)


def as_photos(pictures: Sequence[np.ndarray], folder: Path) -> list[Upload]:
    """The pictures as JPEGs."""
    from PIL import Image

    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path, quality=92)
    return [Upload(path, path.name) for path in paths]


def as_video(
    pictures: Sequence[np.ndarray], path: Path, codec: str = "libx264", rate: int = 12, turned: int = 0
) -> Upload:
    """The pictures as a video whose head comes first; `turned`: degrees of its rotation tag."""
    import av

    options = {"preset": "ultrafast", "crf": "20"} if codec.startswith("libx26") else {}
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if turned:
            stream.set_display_rotation(turned)
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return Upload(path, path.name)


def plain_table() -> np.ndarray:
    """A table with the A4 sheet in the middle."""
    return table_with((A4, 0.0))


def _holds(corners: tuple[tuple[float, float], ...], x: float, y: float) -> bool:
    (left, top), (right, bottom) = corners[0], corners[2]
    return left - 0.1 <= x <= right + 0.1 and bottom - 0.1 <= y <= top + 0.1
