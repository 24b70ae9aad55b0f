"""`flask parts import --photos`: which part a photo shows, hostile archives, and nothing twice."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from acr3d.errors import InvalidInput
from acr3d.imports.photo_files import PhotoFiles
from acr3d.imports.photo_names import SkuNames
from acr3d.parts.photos import images_of
from acr3d.parts.sku_lookup import part_with_sku
from acr3d.settings import Settings
from tests.support.pictures import quarters, saved

SKUS = ("BRK-100", "BRK-100-2", "A/B", "x_y", "4711", "2", "ÖL 9")
NAMES = {
    "4711_front.jpg": ("4711", "front", 0),
    "4711-2.jpg": ("4711", "2", 2),
    "4711 (3).JPG": ("4711", "3", 3),
    "front/4711.jpg": ("4711", "front", 0),
    "4711/hinten 2.jpg": ("4711", "hinten 2", 2),
    "photos/4711/2.jpg": ("4711", "photos 2", 2),
    "a_b.jpg": ("A/B", "", 0),
    "A%2FB-left.png": ("A/B", "left", 0),
    "x_y_top.jpg": ("x_y", "top", 0),
    "öl 9 detail.jpg": ("ÖL 9", "detail", 0),
    "brk-100_back.jpg": ("BRK-100", "back", 0),
}


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """Photos are added as from a form, which has tests on both databases."""
    return sqlite_config


@pytest.mark.parametrize("path", NAMES)
def test_a_name_tells_the_part_the_side_and_the_number(path: str) -> None:
    sku, rest, number = NAMES[path]

    named = SkuNames(SKUS).read(path)

    assert (named.skus, named.rest, named.number) == ((sku,), rest, number)


@pytest.mark.parametrize("path", ["BRK-100-2.jpg", "BRK-100/A_B.jpg"])
def test_what_fits_two_parts_is_not_guessed(path: str) -> None:
    assert len(SkuNames(SKUS).read(path).skus) == 2
    assert SkuNames(SKUS).read("BRK-100/2.jpg").skus == ("BRK-100",)
    assert SkuNames(SKUS).read("IMG_0001.jpg").skus == ()


def zipped(place: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return place


def test_what_is_no_photo_or_hostile_is_left_out_with_a_sentence(app: Flask, tmp_path: Path) -> None:
    names = {"../4711.jpg": b"x", "/etc/4711.jpg": b"x", "4711.zip": b"x", "4711.txt": b"x"}
    place = zipped(
        tmp_path / "photos.zip", **names, **{"4711.png": bytes(1_000_000), "__MACOSX/4711.jpg": b"x"}
    )
    with zipfile.ZipFile(place, "a") as archive:
        link = zipfile.ZipInfo("4711-3.jpg")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "4711.jpg").symlink_to("/etc/passwd")

    with app.test_request_context():
        with PhotoFiles(place) as source:
            problems = {one.path: one.problem for one in source.files()}
        with PhotoFiles(tmp_path / "folder") as source:
            [linked] = source.files()

    assert problems == {
        "../4711.jpg": "Its path leads out of the ZIP file.",
        "/etc/4711.jpg": "Its path leads out of the ZIP file.",
        "4711.zip": "It is an archive inside the archive. Unpack it first.",
        "4711.txt": "Its name is not that of a photo.",
        "4711.png": "Unpacked, it is far larger than any photo of its size.",
        "4711-3.jpg": "It is a link or a device, and no file.",
    }
    assert linked.problem == problems["4711-3.jpg"]


@pytest.fixture
def bring(app: Flask, tmp_path: Path) -> Callable[..., Result]:
    (tmp_path / "parts.csv").write_text("sku,name\n4711,Filter\nA/B,Clutch\n")

    def bring(photos: Path, *options: str) -> Result:
        table = str(tmp_path / "parts.csv")
        return app.test_cli_runner().invoke(
            args=["parts", "import", table, "--photos", str(photos), *options]
        )

    return bring


def test_photos_come_with_the_parts_and_none_comes_twice(
    app: Flask, tmp_path: Path, bring: Callable[..., Result]
) -> None:
    photo, other = saved(quarters(), "JPEG").getvalue(), saved(quarters((500, 400)), "PNG").getvalue()
    damaged = io.BytesIO(photo).read(2000)
    files = {"4711_vorne.jpg": photo, "A_B/1.png": other, "4711-2.jpg": damaged, "IMG_1.jpg": photo}
    place = zipped(tmp_path / "photos.zip", **files)

    shown = bring(place, "--dry-run")
    first = bring(place)
    again = bring(place)

    assert "4711_vorne.jpg → 4711" in shown.output
    assert "IMG_1.jpg: No part's number (SKU) is in its name." in shown.output
    assert (first.exit_code, again.exit_code) == (1, 1), first.output
    assert "Photos: 2. Present already: 0. Left out: 2." in first.output
    assert "4711-2.jpg: " in first.output
    assert "Photos: 0. Present already: 2. Left out: 2." in again.output
    with app.app_context():
        [image] = images_of(part_with_sku("4711").id)
        assert image.angle_label == "front"
        assert len(images_of(part_with_sku("A/B").id)) == 1


END = b"PK\x05\x06"
ZIP64_RECORD = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 3_000_000_000, 0)
ZIP64_LOCATOR = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)


@pytest.mark.parametrize(
    "ending",
    [
        ZIP64_RECORD + ZIP64_LOCATOR + struct.pack("<4s4H2LH", END, 0, 0, 1, 1, 10, 0, 0),
        struct.pack("<4s4H2LH", END, 0, 0, 1, 1, 50_000_000, int.from_bytes(END, "little"), 0),
    ],
    ids=["zip64", "signature in the record"],
)
def test_a_list_of_files_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path, ending: bytes) -> None:
    (tmp_path / "photos.zip").write_bytes(bytes(100) + ending)

    with pytest.raises(InvalidInput, match="more than 20000 files"):
        PhotoFiles(tmp_path / "photos.zip")


def test_what_is_neither_a_folder_nor_a_zip_file_gets_one_sentence(
    tmp_path: Path, bring: Callable[..., Result]
) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK\x05\x06 broken")

    result = bring(tmp_path / "photos.zip")

    assert result.exit_code == 2
    assert "must be a folder or a ZIP file" in result.output
