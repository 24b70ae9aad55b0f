"""Importing beside other people, on both databases: what is written, and what somebody has just written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.imports import run
from acr3d.imports.plan import Action, Planner
from acr3d.imports.table import Layout, opened
from acr3d.parts import sku_lookup
from acr3d.parts.parts import create_part, present_parts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "parts.csv"
    path.write_text("sku,name\nP-1,Oil filter\nP-2,Clutch\nP-3,Bolt\n")
    return path


def imported(file: Path) -> list[tuple[str, Action]]:
    with opened(file, Layout()) as table:
        return [(one.sku, one.action) for one in run.run(table, Planner(table))]


def names() -> dict[str, str]:
    db.session.rollback()
    return {part.sku: part.name for part in db.session.scalars(present_parts())}


def test_new_and_changed_parts_are_written_and_found(in_app: Flask, file: Path) -> None:
    create_part({"sku": "P-2", "name": "Old clutch"})

    assert imported(file) == [("P-1", Action.NEW), ("P-2", Action.CHANGED), ("P-3", Action.NEW)]

    assert names() == {"P-1": "Oil filter", "P-2": "Clutch", "P-3": "Bolt"}
    assert imported(file) == [("P-1", Action.UNCHANGED), ("P-2", Action.UNCHANGED), ("P-3", Action.UNCHANGED)]


def test_a_part_that_somebody_adds_meanwhile_stops_its_own_row_only(
    in_app: Flask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses the second equal SKU, and with it the whole batch; then each row goes alone."""
    claim = sku_lookup.claim_free

    def claim_late(session: Session, parts: Sequence[Part]) -> None:
        claim(session, parts)
        for part in parts:
            if part.sku == "P-2":
                part.sku_key = part.sku_look = "P-9"

    create_part({"sku": "P-9", "name": "Theirs"})
    monkeypatch.setattr(sku_lookup, "claim_free", claim_late)

    assert imported(file) == [("P-1", Action.NEW), ("P-2", Action.REFUSED), ("P-3", Action.NEW)]

    assert names() == {"P-1": "Oil filter", "P-3": "Bolt", "P-9": "Theirs"}
