"""Measure how fast lists of parts answer: first and deep pages, filters, and search as it is typed.

    python -m bench.lists [--parts 100000] [--requests 300] [--only catalogue]

Fills an empty database (SQLite in a temporary folder, or the one of DATABASE_URL) with parts that have
numbers, categories and vehicles, and rows of photos for six in ten of them. Then one client asks for each
kind of page, 30 times to warm up and `--requests` times measured, in this process, without the network.
Prints the 50th and 95th percentile in milliseconds and the most SQL statements that one answer took.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import flask_migrate
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Category, Part, PartFitment, PartImage, PartNumber, PartSearch
from acr3d.db.session import transaction
from acr3d.db.types import new_id, utc_now
from acr3d.parts import categories, search_index
from acr3d.parts.filters import EVERY_PART, PUBLISHED
from acr3d.parts.search import PAGE_SIZE, search
from acr3d.parts.skus import look
from acr3d.parts.typos import is_correctable
from tests.support.accounts import browser

WARM_UP = 30
BATCH = 2000
THINGS = (
    *("Ölfilter", "Luftfilter", "Kraftstofffilter", "Bremsscheibe", "Bremssattel", "Radlager", "Stoßdämpfer"),
    *("Querlenker", "Zahnriemen", "Wasserpumpe", "Lichtmaschine", "Turbolader", "Zündkerze", "Kupplung"),
    *("Auspuffkrümmer", "Lambdasonde", "Kühler", "Türgriff", "Scheinwerfer", "Kotflügel", "Gelenkwelle"),
)
ADJECTIVES = (
    "vorn",
    "hinten",
    "links",
    "rechts",
    "verstärkt",
    "belüftet",
    "schwarz",
    "klein",
    "groß",
    "lang",
)
MAKES = ("VW", "Audi", "Škoda", "BMW", "Opel", "Ford", "Renault", "Citroën", "Fiat", "Toyota", "Volvo")
BRANDS = ("Bosch", "Brembo", "Mahle", "Sachs", "Hella", "Valeo", "Lemförder", "SKF", "Continental", "Behr")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        environ = {"ACR3D_INSTANCE": folder, "ACR3D_SEARCH_RATE": "0"}
        environ |= {name: os.environ[name] for name in ("DATABASE_URL",) if name in os.environ}
        app = create_app(settings.from_environment(environ))
        with app.app_context():
            flask_migrate.upgrade()
            begun = time.monotonic()
            _fill(options.parts)
            seconds = time.monotonic() - begun
            print(f"{db.engine.dialect.name}: {options.parts} parts made in {seconds:.0f} s")
        _measure(app, options)


def _fill(count: int) -> None:
    dice = random.Random(7)
    places = [
        categories.create(f"{top}/{middle}/{low}").id
        for top in ("Bremse", "Motor", "Fahrwerk", "Karosserie", "Elektrik")
        for middle in ("vorn", "hinten", "Zubehör")
        for low in ("Neuteile", "Gebraucht", "Sätze")
    ]
    lines = categories.lines(db.session(), places)
    parts = _parts(dice, count, places)
    while batch := list(islice(parts, BATCH)):
        _insert(batch, lines, dice)


def _parts(dice: random.Random, count: int, places: list[str]) -> Iterator[Part]:
    for number in range(count):
        thing, brand = dice.choice(THINGS), dice.choice(BRANDS)
        digits = "-".join(f"{dice.randrange(16**4):04X}" for _ in range(3))
        yield Part(
            id=new_id(),
            sku=f"{digits}-{number}",
            sku_key=f"{digits}-{number}".casefold(),
            sku_look=look(f"{digits}-{number}"),
            name=f"{thing} {dice.choice(ADJECTIVES)} {dice.choice(ADJECTIVES)} {number % 977}",
            description=f"{thing} von {brand}, geprüft und ab Lager lieferbar. {dice.choice(ADJECTIVES)}.",
            brand=brand,
            category_id=dice.choice(places),
            attributes={},
            is_published=number % 20 != 0,
            model_status="none",
            revision=1,
            created_at=utc_now(),
            updated_at=utc_now(),
            width_mm=10.0 if number % 3 else None,
            height_mm=10.0,
            depth_mm=10.0,
            number_rows=[
                PartNumber(id=new_id(), position=place, kind="oe", value=f"{dice.randrange(10**9):09} A")
                for place in range(2)
            ],
            fitment_rows=[
                PartFitment(id=new_id(), position=0, make=dice.choice(MAKES), model=f"M{dice.randrange(90)}")
            ],
        )


def _insert(parts: list[Part], lines: dict[str, list[str]], dice: random.Random) -> None:
    """As the app would, but many at once."""
    photos = [_photo(part.id) for part in parts if dice.random() < 0.6]
    with_photo = {photo["part_id"]: photo["image_url"] for photo in photos}
    for part in parts:
        part.primary_image_url = with_photo.get(part.id)
    rows = [
        {"part_id": part.id, **search_index.row_of(part, lines[part.category_id or ""])} for part in parts
    ]
    words = {word for row in rows for word in row["tokens"].split() if is_correctable(word)}
    with transaction() as session:
        session.execute(insert(Part), [_columns(part) for part in parts])
        for name, table in (("number_rows", PartNumber), ("fitment_rows", PartFitment)):
            listed = [_columns(row) | {"part_id": part.id} for part in parts for row in getattr(part, name)]
            session.execute(insert(table), listed)
        session.execute(insert(PartImage), photos)
        session.execute(insert(PartSearch), rows)
        search_index.learn_words(session, words)


def _photo(part_id: str) -> dict[str, Any]:
    key = f"parts/{part_id}/photos/{new_id()}"
    return {
        "id": new_id(),
        "part_id": part_id,
        "image_url": f"/media/{key}.jpg",
        "storage_path": f"{key}.jpg",
        "thumbnail_path": f"{key}.small.jpg",
        "width_px": 1600,
        "height_px": 1200,
        "display_order": 0,
        "is_selected_for_3d_generation": False,
    }


def _columns(row: Part | PartNumber | PartFitment | Category) -> dict[str, Any]:
    return {key: value for key, value in vars(row).items() if key in type(row).__table__.columns}


def _measure(app: Flask, options: argparse.Namespace) -> None:
    with app.app_context():
        names = [row[0] for row in db.session.execute(db.select(Part.name).limit(options.requests))]
        shown = db.select(Part.sku).where(Part.is_published).limit(options.requests + WARM_UP)
        skus = [row[0] for row in db.session.execute(shown)]
        numbers = [row[0] for row in db.session.execute(db.select(PartNumber.value).limit(options.requests))]
        db.session.remove()
    staff = browser(app)
    typed = [name[:length] for name in names for length in (2, 4, 7, 12)]
    kinds: dict[str, Callable[[int], str]] = {
        "admin list, page 1": lambda _n: "/admin/parts",
        "admin, a category": lambda n: f"/admin/parts?category=Bremse/{('vorn', 'hinten')[n % 2]}",
        "admin, photos missing by number": lambda _n: "/admin/parts?photos=false&published=true&sort=sku",
        "admin, nothing fits": lambda _n: "/admin/parts?status=failed",
        "admin, search as it is typed": lambda n: f"/admin/parts?q={typed[n % len(typed)]}",
        "admin, a number": lambda n: f"/admin/parts?q={numbers[n % len(numbers)].replace(' ', '')}",
        "admin, a typo": lambda n: f"/admin/parts?q={_misspelt(names[n % len(names)])}",
        # The number keeps these pages from being sent from memory.
        "catalogue, page 1": lambda n: f"/?n={n}",
        "catalogue, a category": lambda n: f"/?category=Bremse/{('vorn', 'hinten')[n % 2]}&n={n}",
        "catalogue, a top category": lambda n: f"/?category=Motor&n={n}",
        "part page": lambda n: f"/parts/{skus[n % len(skus)]}",
        "catalogue, search as it is typed": lambda n: f"/?q={typed[n % len(typed)]}",
    }
    for name, address in kinds.items():
        if options.only not in name:
            continue
        _report(app, staff, name, [address(n) for n in range(options.requests + WARM_UP)])
    for name, start in (("admin", "/admin/parts"), ("catalogue", "/")):
        deep = _address_of_page(app, start, options.deep)
        _report(
            app,
            staff,
            f"{name}, page {options.deep}",
            [f"{deep}&n={n}" for n in range(options.requests + WARM_UP)],
        )


def _address_of_page(app: Flask, start: str, number: int) -> str:
    """The way there is not measured: it asks the domain for the cursor, page by page of the largest size."""
    filters, order = (PUBLISHED, "pictures") if start == "/" else (EVERY_PART, "")
    left, cursor = (number - 1) * PAGE_SIZE, ""
    with app.test_request_context():
        while left:
            step = min(left, 5000)
            page = search("", filters, order=order, cursor=cursor, limit=step)
            left, cursor = left - step, str(page.next or cursor)
            if page.next is None:
                break
    return f"{start}?cursor={cursor}"


def _misspelt(name: str) -> str:
    word = name.split()[0]
    return f"{word[:4]}{word[5]}{word[4]}{word[6:]}"


def _report(app: Flask, client: FlaskClient, name: str, addresses: list[str]) -> None:
    statements = 0

    def count(*_args: object) -> None:
        nonlocal statements
        statements += 1

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    times, most = [], 0
    for address in addresses:
        statements, begun = 0, time.perf_counter()
        answer = client.get(address)
        times.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        most = max(most, statements)
    event.remove(engine, "before_cursor_execute", count)
    measured = sorted(times[WARM_UP:])
    p95 = measured[int(0.95 * len(measured)) - 1]
    print(f"{name:36} p50 {statistics.median(measured):6.1f} ms  p95 {p95:6.1f} ms  statements {most}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure lists of 100,000 parts.")
    parser.add_argument("--parts", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--only", default="", help="only the kinds of page whose name holds this")
    parser.add_argument("--deep", type=int, default=3000, help="the number of the deep page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
