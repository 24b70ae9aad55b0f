"""What cannot become a model is refused with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.capture_sheet.layout import A3, A4
from acr3d.spin.request import Upload
from tests.support.sheet_capture import LENS, as_photos, as_video, laps, photograph, smeared, table_with

pytestmark = pytest.mark.needs("spin")


def refusal(uploads, folder: Path) -> str:
    """The sentence with which the capture is refused."""
    from acr3d.spin.errors import SpinError
    from acr3d.spin.reading import read

    with pytest.raises(SpinError) as refused:
        read(uploads, folder)
    return str(refused.value)


def strangers() -> np.ndarray:
    """A picture of markers of the same dictionary that are on neither sheet."""
    import cv2

    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_100)
    picture = np.full((LENS.height, LENS.width, 3), 255, np.uint8)
    for place, number in enumerate(range(80, 86)):
        marker = cv2.aruco.generateImageMarker(dictionary, number, 90)
        picture[200:290, 40 + 150 * place : 130 + 150 * place] = marker[..., None]
    return picture


def test_half_a_ring(tmp_path: Path, pictures) -> None:
    half = pictures[:7] + pictures[12:19]
    assert "from 64 % of the way round" in refusal(as_photos(half, tmp_path), tmp_path)


def test_too_few_pictures(tmp_path: Path, pictures) -> None:
    assert "Sharp pictures of the sheet: 6;" in refusal(as_photos(pictures[:12:2], tmp_path), tmp_path)


def test_a_covered_sheet(tmp_path: Path) -> None:
    table = table_with((A4, 0.0), skipped=[number for number in A4.ids if number % 10])
    covered = [photograph(camera, table) for camera in laps(8)]
    assert "Too few of the sheet's markers" in refusal(as_photos(covered, tmp_path), tmp_path)


def test_another_sheet_and_both_sheets(tmp_path: Path) -> None:
    assert "not those of the capture sheet" in refusal(as_photos([strangers()] * 3, tmp_path), tmp_path)
    table = table_with((A4, -110.0), (A3, 150.0))
    both = [photograph(camera, table) for camera in laps(4)]
    assert "Both the A4 and the A3 sheet" in refusal(as_photos(both, tmp_path), tmp_path)


def test_something_else_and_nothing(tmp_path: Path) -> None:
    leaves = np.random.default_rng(1).integers(0, 255, (12, 540, 960, 3), np.uint8)
    assert "sheet cannot be seen" in refusal(as_photos([*leaves], tmp_path), tmp_path)
    assert "holds no pictures" in refusal([], tmp_path)


def test_motion_blur(tmp_path: Path, pictures) -> None:
    blurred = [smeared(picture, 9) for picture in pictures]
    assert "Nearly all pictures are blurred" in refusal(as_photos(blurred, tmp_path), tmp_path)


def test_a_video_that_is_too_long_or_too_large(tmp_path: Path, pictures) -> None:
    slow = as_video([pictures[0][::6, ::6]] * 190, tmp_path / "slow.mp4", rate=1)
    assert "lasts 190 seconds; at its size and frame rate, 180 can be read" in refusal([slow], tmp_path)
    large = as_video([np.zeros((3000, 3200, 3), np.uint8)], tmp_path / "large.mp4")
    assert "has 3200 × 3000 pixels" in refusal([large], tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"GIF89a" + bytes(100),
        b"",
    ],
    ids=["playlist", "list of files", "gif", "empty"],
)
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "0"
    path.write_bytes(content)
    assert "“spin.mp4” is not a video that can be read" in refusal([Upload(path, "spin.mp4")], tmp_path)


def test_a_video_without_its_head_or_with_another_codec(tmp_path: Path, pictures) -> None:
    few = [picture[::2, ::2] for picture in pictures[:3]]
    whole = as_video(few, tmp_path / "spin.mp4")
    whole.path.write_bytes(whole.path.read_bytes()[:600])
    assert "“spin.mp4” is cut off or damaged" in refusal([whole], tmp_path)
    old = as_video(few, tmp_path / "old.mp4", codec="mpeg4")
    assert "“old.mp4” is not a video that can be read" in refusal([old], tmp_path)
