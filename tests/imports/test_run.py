"""An import from its preview to its undoing, on both databases: beside other people, stopped, and killed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportRow
from acr3d.db.session import transaction
from acr3d.errors import Conflict
from acr3d.imports import actions, queue, run
from acr3d.imports.work import work
from acr3d.parts import categories, sku_lookup
from acr3d.parts.bin import parts_in_bin
from acr3d.parts.fields import values_of
from acr3d.parts.parts import create_part, present_parts, update_part

TABLE = "sku,name,width_mm\nP-1,Oil filter,10\nP-2,Clutch,20\nP-3,,30\nP-4,Bolt,40\n"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 2)


@pytest.fixture
def begun(in_app: Flask, tmp_path: Path) -> Import:
    return begin(TABLE, tmp_path)


def begin(text: str, folder: Path, **options: bool) -> Import:
    file = folder / "parts.csv"
    file.write_text(text)
    return actions.begin(actions.copied(file), "parts.csv", None, **options)


def poll() -> None:
    """What a poller does with what is due."""
    while claimed := queue.claim():
        work(claimed, Event())


def imported(record: Import) -> Import:
    poll()
    actions.start(record.id, record.revision)
    poll()
    db.session.rollback()
    return record


def rows(record: Import) -> list[tuple[str, str]]:
    query = select(ImportRow.sku, ImportRow.action).where(ImportRow.import_id == record.id)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(ImportRow.number))]


def names() -> dict[str, str]:
    db.session.rollback()
    return {part.sku: part.name for part in db.session.scalars(present_parts())}


def test_a_preview_writes_nothing_and_the_import_what_it_showed(begun: Import) -> None:
    create_part({"sku": "P-2", "name": "Old clutch", "width_mm": 20})

    poll()

    shown = rows(begun)
    assert shown == [("P-1", "new"), ("P-2", "changed"), ("P-3", "refused"), ("P-4", "new")]
    assert (begun.state, begun.rows_done, begun.row_count) == ("ready", 4, 4)
    assert begun.counts == {"new": 2, "changed": 1, "unchanged": 0, "refused": 1}
    assert [one["field"] for one in begun.found["columns"]] == ["sku", "name", "width_mm"]
    assert names() == {"P-2": "Old clutch"}

    actions.start(begun.id, begun.revision)
    poll()

    assert names() == {"P-1": "Oil filter", "P-2": "Clutch", "P-4": "Bolt"}
    assert (begun.state, rows(begun)) == ("done", shown)
    with pytest.raises(Conflict, match="moved on"):
        actions.start(begun.id, begun.revision)


def test_a_part_that_somebody_adds_meanwhile_stops_its_own_row_only(
    begun: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses the second equal SKU, and with it the whole batch; then each row goes alone."""
    claim = sku_lookup.claim_free

    def claim_late(session: Session, parts: Sequence[sku_lookup.Part]) -> None:
        claim(session, parts)
        for part in parts:
            if part.sku == "P-2":
                part.sku_key = part.sku_look = "P-9"

    create_part({"sku": "P-9", "name": "Theirs"})
    monkeypatch.setattr(sku_lookup, "claim_free", claim_late)

    record = imported(begun)

    assert rows(record) == [("P-1", "new"), ("P-2", "refused"), ("P-3", "refused"), ("P-4", "new")]
    assert names() == {"P-1": "Oil filter", "P-4": "Bolt", "P-9": "Theirs"}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["before the first", "between", "after the last"])
def test_a_killed_import_goes_on_and_writes_nothing_twice(
    begun: Import, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    poll()
    actions.start(begun.id, begun.revision)
    batch, ends = run.write, {"before the first": 0, "between": 1, "after the last": 2}[point]
    written: list[str] = []

    def write(session: Session, planned: Sequence[run.Planned]) -> dict[int, run.Part]:
        if len(written) == ends and ends < 2:
            raise Killed
        parts = batch(session, planned)
        written.append("batch")
        return parts

    monkeypatch.setattr(run, "write", write)
    if point == "after the last":
        monkeypatch.setattr("acr3d.imports.work._end", _killed)
    claimed = queue.claim()
    assert claimed
    with pytest.raises(Killed):
        work(claimed, Event())
    monkeypatch.undo()
    monkeypatch.setattr(run, "BATCH", 2)
    assert queue.claim() is None, "its lease still runs"
    _let_leases_end()

    poll()

    assert names() == {"P-1": "Oil filter", "P-2": "Clutch", "P-4": "Bolt"}
    assert {part.revision for part in db.session.scalars(present_parts())} == {1}
    assert begun.counts == {"new": 3, "changed": 0, "unchanged": 0, "refused": 1}
    assert (begun.state, begun.rows_done) == ("done", 4)


def _killed(*_arguments: object) -> None:
    raise Killed


def _let_leases_end() -> None:
    with transaction() as session:
        for record in session.scalars(select(Import)):
            record.due_at = record.created_at


def test_a_person_stops_it_and_lets_it_go_on(begun: Import) -> None:
    poll()
    actions.start(begun.id, begun.revision)
    claimed = queue.claim()
    assert claimed

    work(claimed, Event(), lambda done, _total: actions.stop(begun.id) if done == 2 else None)

    assert (begun.state, names()) == ("stopped", {"P-1": "Oil filter", "P-2": "Clutch"})
    actions.resume(begun.id)
    poll()
    assert (begun.state, names().keys()) == ("done", {"P-1", "P-2", "P-4"})


def test_a_refused_row_stops_it_when_that_is_wanted(begun: Import) -> None:
    poll()
    actions.read_again(begun.id, begun.revision, {}, {}, stops_at_refused=True)

    record = imported(begun)

    assert (record.state, names().keys()) == ("stopped", {"P-1", "P-2"})
    assert record.problem == "Row 4 was refused: “Name” must not be empty."
    actions.resume(record.id)
    poll()
    assert (record.state, names().keys()) == ("done", {"P-1", "P-2", "P-4"})


def test_undo_takes_back_what_nobody_has_changed_since_and_names_the_rest(
    in_app: Flask, tmp_path: Path
) -> None:
    kept = create_part({"sku": "P-1", "name": "Old filter", "width_mm": 1})
    create_part({"sku": "P-2", "name": "Old clutch", "brand": "ACME"})
    record = imported(begin(TABLE + "P-5,Nut,50\n", tmp_path))
    update_part(kept.id, {"width_mm": 11})
    bolt = sku_lookup.part_with_sku("P-4")
    update_part(bolt.id, {"name": "Long bolt"})

    actions.take_back(record.id)
    poll()

    assert names() == {"P-1": "Old filter", "P-2": "Old clutch", "P-4": "Long bolt"}
    parts = {part.sku: values_of(part) for part in db.session.scalars(present_parts())}
    assert (parts["P-1"]["width_mm"], parts["P-2"]["width_mm"]) == (11, None)
    assert [part.sku for part in parts_in_bin()] == ["P-5"]
    left = select(ImportRow.sku, ImportRow.not_undone).where(ImportRow.not_undone != "")
    assert {tuple(row) for row in db.session.execute(left)} == {
        ("P-1", "Changed since, so left as it is: Width."),
        ("P-4", "The part was changed since, so it stays."),
    }
    assert record.state == "undone"


def test_a_mapping_by_hand_is_remembered_for_the_same_headings(in_app: Flask, tmp_path: Path) -> None:
    table = "Ding,Wort\nP-1,Filter\n"
    first = begin(table, tmp_path)
    poll()
    assert (first.state, first.problem[:32]) == ("refused", "No column holds part numbers (SK")
    assert [one["heading"] for one in first.found["columns"]] == ["Ding", "Wort"]

    actions.read_again(first.id, first.revision, {}, {"Ding": "sku", "Wort": "name"})
    poll()
    second = begin(table, tmp_path)
    poll()

    assert (first.state, second.state) == ("ready", "ready")
    assert rows(second) == [("P-1", "new")]


def test_categories_are_made_on_the_way_when_that_is_wanted(in_app: Flask, tmp_path: Path) -> None:
    table = "sku,name,category\nP-1,Disc,Brakes/Discs\nP-2,Disc,a/b/c/d\n"
    plain = begin(table, tmp_path)
    poll()
    wanted = begin(table, tmp_path, makes_categories=True)
    poll()
    assert [action for _sku, action in rows(plain)] == ["refused", "refused"]
    assert [action for _sku, action in rows(wanted)] == ["new", "refused"]
    assert categories.paths() == []

    imported(wanted)

    assert categories.paths() == ["Brakes", "Brakes/Discs"]
    assert sku_lookup.part_with_sku("P-1").category == "Brakes/Discs"

    create_part({"sku": "P-9", "name": "Pad", "category": "Brakes"})
    actions.take_back(wanted.id)
    poll()

    assert categories.paths() == ["Brakes"]
