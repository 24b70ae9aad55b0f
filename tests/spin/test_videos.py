"""Videos as phones and browsers write them, whole and cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d import sandbox
from tests.support.proof import dose
from tests.support.sheet_capture import as_photos, as_video, smeared
from tests.support.spin_child import read_in_a_child

pytestmark = pytest.mark.needs("spin")


@pytest.mark.parametrize(
    ("codec", "ending"),
    [("libx264", "mov"), ("libx265", "mp4"), ("libvpx-vp9", "webm"), ("libsvtav1", "mp4")],
)
def test_every_codec_of_phones_and_browsers_is_read(tmp_path: Path, pictures, codec, ending) -> None:
    from acr3d.spin import videos

    sent = [picture[::2, ::2] for picture in pictures[:4]]
    upload = as_video(sent, tmp_path / f"spin.{ending}", codec=codec)

    seen = list(videos.pictures(videos.look(upload.path, upload.name)))

    assert [round(picture.seconds * 12) for picture in seen] == [0, 1, 2, 3]
    for picture, original in zip(seen, sent, strict=True):
        assert np.abs(picture.pixels.astype(int) - original).mean() < 12


def test_the_sharpest_frame_of_each_stretch_is_taken(tmp_path: Path, monkeypatch, pictures) -> None:
    from acr3d.spin import videos

    monkeypatch.setattr(videos, "MOST_STRETCHES", 3)
    small = [picture[::2, ::2] for picture in pictures[:9]]
    soft = [smeared(one, 4) for one in small]
    sharp = (1, 3, 8)
    frames = [small[number] if number in sharp else soft[number] for number in range(9)]
    upload = as_video(frames, tmp_path / "spin.mp4")

    seen = list(videos.pictures(videos.look(upload.path, upload.name)))

    assert [round(picture.seconds * 12) for picture in seen] == [*sharp]


def test_what_a_broken_off_video_holds_is_used(tmp_path: Path, pictures) -> None:
    from acr3d.spin.reading import read

    upload = as_video([*pictures[:12], *pictures[12:], *pictures[:12]], tmp_path / "0.mp4")
    whole = upload.path.read_bytes()
    upload.path.write_bytes(whole[: len(whole) * 3 // 4])

    report = read([upload], tmp_path)

    assert 20 <= report["frames_seen"] < 36
    assert "spin.file_cut_off" in {note["code"] for note in report["notes"]}


def test_a_broken_photo_and_one_of_another_size_are_left_out(tmp_path: Path, pictures) -> None:
    from acr3d.spin.reading import read

    uploads = as_photos([*pictures[:7], pictures[7][30:], *pictures[8:]], tmp_path)
    uploads[3].path.write_bytes(uploads[3].path.read_bytes()[:2000])

    report = read(uploads, tmp_path)

    assert report["frames_kept"] == 22
    odd = [note["params"] for note in report["notes"] if note["code"] == "spin.odd_size"]
    assert odd == [{"n": 1, "fewest": 5}]
    left_out = [note["params"] for note in report["notes"] if note["code"] == "spin.photo_left_out"]
    assert left_out == [{"name": "3.jpg"}]


@pytest.mark.proof
def test_no_mutated_video_breaks_the_child(tmp_path: Path, pictures) -> None:
    random = np.random.default_rng(7)
    few = [picture[::2, ::2] for picture in pictures[:6]]
    for number in range(dose(60, small=4)):
        codec, ending = [("libx264", "mp4"), ("libx265", "mov"), ("libvpx-vp9", "webm")][number % 3]
        upload = as_video(few, tmp_path / f"0.{ending}", codec=codec)
        content = np.frombuffer(upload.path.read_bytes(), np.uint8).copy()
        head = random.integers(12, min(len(content), 1500), 6)
        content[head] = random.integers(0, 256, 6)
        content[random.integers(12, len(content), 40)] = random.integers(0, 256, 40)
        upload.path.write_bytes(content.tobytes())
        with pytest.raises(sandbox.ChildRefused):  # six pictures are too few for any answer but a refusal
            read_in_a_child([upload], tmp_path)
