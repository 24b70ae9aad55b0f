"""Photos in an import, from the preview to the undoing: what fits two parts, a column of photos, kills."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportPhoto
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.imports import actions, photo_contents, photo_work, queue
from acr3d.imports.work import work
from acr3d.parts.parts import create_part, part_by_id, present_parts
from acr3d.parts.photos import add_photos, images_of, label_photo
from acr3d.parts.sku_lookup import part_with_sku
from acr3d.storage.blobs import storage
from tests.support.factories import photo

TABLE = "sku,name\nA-1,Filter\nA-1-2,Bolt\nB/7,Nut\n"


@pytest.fixture(autouse=True)
def quick_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child for each photo takes half a second; that bad ones are refused has tests of its own."""
    made = {colour: photo(colour) for colour in ("red", "green", "blue")}
    monkeypatch.setattr(
        photo_contents, "converted_all", lambda streams, _stop: [made[one.read().decode()] for one in streams]
    )


def begin(folder: Path, files: dict[str, str], table: str | None = None, **options: object) -> Import:
    archive = folder / "photos.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, colour in files.items():
            packed.writestr(name, colour)
    file = None
    if table is not None:
        (folder / "parts.csv").write_text(table)
        file = actions.copied(folder / "parts.csv")
    photos = actions.copied(archive) if files else None
    return actions.begin(file, "parts.csv", None, photos=photos, **options)  # type: ignore[arg-type]


def poll() -> None:
    while claimed := queue.claim():
        work(claimed, Event())


def imported(record: Import) -> Import:
    poll()
    actions.start(record.id, record.revision)
    poll()
    return record


def fates(record: Import) -> dict[str, tuple[str, str]]:
    query = select(ImportPhoto).where(ImportPhoto.import_id == record.id)
    return {one.path: (one.sku, one.action) for one in db.session.scalars(query)}


def sides(sku: str) -> list[str | None]:
    return [image.angle_label for image in images_of(part_with_sku(sku).id)]


def test_photos_come_with_their_table_once_and_go_with_it(in_app: Flask, tmp_path: Path) -> None:
    files = {"A-1_front.jpg": "red", "A-1-2.jpg": "green", "left/B_7.jpg": "blue", "none.jpg": "red"}
    record = begin(tmp_path, files, TABLE)
    poll()
    shown = fates(record)

    actions.choose_photos(record.id, record.revision, {"A-1-2.jpg": "A-1-2", "none.jpg": "A-1"})
    poll()
    chosen = fates(record)["A-1-2.jpg"]
    actions.choose_photos(record.id, record.revision, {"A-1-2.jpg": ""})
    poll()
    taken_back = fates(record)["A-1-2.jpg"]
    actions.choose_photos(record.id, record.revision, {"A-1-2.jpg": "A-1-2"})
    imported(record)
    again = begin(tmp_path, files, TABLE)
    poll()
    seen_again = dict(again.photo_counts)
    there = [sides("A-1"), sides("A-1-2"), sides("B/7")]
    kept = images_of(part_with_sku("A-1").id)[0]
    label_photo(kept.id, {"caption": "Mine"})
    actions.take_back(record.id)
    poll()

    assert shown == {
        "A-1_front.jpg": ("A-1", "added"),
        "A-1-2.jpg": ("", "unclear"),
        "left/B_7.jpg": ("B/7", "added"),
        "none.jpg": ("", "refused"),
    }
    assert (chosen, taken_back) == (("A-1-2", "added"), ("", "unclear"))
    assert record.photo_choices == {"A-1-2.jpg": "A-1-2"}
    assert record.photo_counts == {"added": 3, "present": 0, "unclear": 0, "refused": 1}
    assert there == [["front"], [None], ["left"]]
    assert record.photos_path is None
    assert seen_again == {"added": 0, "present": 2, "unclear": 1, "refused": 1}
    assert sides("A-1") == ["front"]
    left = select(ImportPhoto.not_undone).where(ImportPhoto.not_undone != "")
    assert db.session.scalars(left).all() == ["The photo was changed since, so it stays."]
    assert record.state == "undone"
    assert [part.sku for part in db.session.scalars(present_parts())] == ["A-1"]


def test_a_column_lists_files_and_addresses_in_its_own_order(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def download(url: str, file: BinaryIO, _spec: object) -> None:
        fetched.append(url)
        file.write(b"blue")
        file.seek(0)

    monkeypatch.setattr(photo_contents, "downloaded", download)
    address = "https://shop.example/a,b/IMG_7_left.jpg?v=1"
    table = f'sku,name,Fotos\nA-1,Filter,"x/2.JPG, 1.jpg,{address}"\nA-9,Bolt,2.jpg | gone.jpg | 3.jpg\n'
    files = {"1.jpg": "red", "x/2.jpg": "green", "a/3.jpg": "blue", "b/3.jpg": "red"}

    record = imported(begin(tmp_path, files, table))
    again = begin(tmp_path, files, table)
    poll()

    assert fetched == [address]
    assert sides("A-1") == [None, None, "left"]
    assert [one.sha256 for one in images_of(part_with_sku("A-9").id)] == [photo("green").sha256]
    assert fates(record)["gone.jpg"] == ("A-9", "refused")
    assert fates(record)["b/3.jpg"] == ("", "refused")
    assert (again.counts["unchanged"], again.photo_counts["present"]) == (2, 4)


def test_a_sku_that_a_spreadsheet_made_a_date_gets_its_photos(in_app: Flask, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "parts.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["sku", "name", "photos"])
    sheet.write_datetime(1, 0, date(2026, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
    sheet.write_row(1, 1, ["Filter", "1.jpg"])
    book.close()
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as packed:
        packed.writestr("1.jpg", "red")
    table, photos = actions.copied(tmp_path / "parts.xlsx"), actions.copied(tmp_path / "photos.zip")

    imported(actions.begin(table, "parts.xlsx", None, photos=photos))

    assert len(images_of(part_with_sku("2026-03-01").id)) == 1


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_in_the_middle_of_a_photo_loses_none_and_brings_none_twice(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sku in ("A-1", "A-2", "A-3"):
        create_part({"sku": sku, "name": "Filter"})
    files = {"A-1_1.jpg": "red", "A-2_2.jpg": "green", "A-2_3.jpg": "blue", "A-3_1.jpg": "blue"}
    record = begin(tmp_path, files)
    poll()
    actions.start(record.id, record.revision)
    follow = photo_work._follow

    def kill_at_second(*arguments: object) -> None:
        follow(*arguments)  # type: ignore[arg-type]
        if images_of(part_with_sku("A-2").id):
            raise Killed

    monkeypatch.setattr(photo_work, "_follow", kill_at_second)
    claimed = queue.claim()
    assert claimed
    with pytest.raises(Killed):
        work(claimed, Event())
    monkeypatch.setattr(photo_work, "_follow", follow)
    with transaction() as session:
        session.get_one(Import, record.id).due_at = record.created_at

    poll()

    hashes = [[one.sha256 for one in images_of(part_with_sku(sku).id)] for sku in ("A-1", "A-2", "A-3")]
    red, green, blue = (photo(colour).sha256 for colour in ("red", "green", "blue"))
    assert hashes == [[red], [green, blue], [blue]]
    assert (record.state, record.photos_done) == ("done", 4)
    assert sum("/photos/" in key for key in list(storage().keys())) == 4


def test_a_part_takes_six_photos_and_the_others_are_refused_in_the_preview(
    in_app: Flask, tmp_path: Path
) -> None:
    create_part({"sku": "A-1", "name": "Filter"})
    record = begin(tmp_path, {f"A-1_{number}.jpg": "red" for number in range(1, 9)})
    poll()

    assert record.photo_counts == {"added": 6, "present": 0, "unclear": 0, "refused": 2}
    assert fates(record)["A-1_8.jpg"] == ("A-1", "refused")


def test_photos_find_less_room_than_their_preview_and_as_many_as_fit_are_added(
    in_app: Flask, tmp_path: Path
) -> None:
    part = create_part({"sku": "A-1", "name": "Filter"})
    record = begin(tmp_path, {"A-1_1.jpg": "red", "A-1_2.jpg": "green", "A-1_3.jpg": "blue"})
    poll()
    add_photos(part.id, [photo(colour) for colour in ("white", "black", "gray", "pink", "orange")])

    imported(record)

    assert record.photo_counts == {"added": 1, "present": 0, "unclear": 0, "refused": 2}
    assert part_by_id(part.id).check_due_at <= utc_now()  # type: ignore[operator]
    assert images_of(part.id)[-1].sha256 == photo("red").sha256


def test_the_same_content_is_not_added_twice(in_app: Flask, tmp_path: Path) -> None:
    create_part({"sku": "A-1", "name": "Filter"})

    record = imported(begin(tmp_path, {"A-1_1.jpg": "red", "A-1/2.jpg": "red"}))

    assert record.photo_counts == {"added": 1, "present": 1, "unclear": 0, "refused": 0}
