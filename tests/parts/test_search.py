"""Finding parts: however a number or a word is typed, page by page, and whatever is typed."""

from __future__ import annotations

import base64
import json

import pytest
from flask import Flask

from acr3d.errors import InvalidInput
from acr3d.parts.bin import delete_part
from acr3d.parts.filters import EVERY_PART, PUBLISHED, Filters
from acr3d.parts.parts import create_part, update_part
from acr3d.parts.search import COUNTED, Page, search
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part

pytestmark = ON_BOTH


def names(query: str, filters: Filters = EVERY_PART) -> list[str]:
    return [part.name for part in search(query, filters).parts]


def test_words_and_numbers_are_found_however_they_are_typed(in_app: Flask) -> None:
    create_part({"sku": "6178-4B40-40B2", "name": "Ölfilter Größe M", "description": "Thread M14x1.25, 100%"})
    create_part({"sku": "4B40", "name": "Brake disc"})
    filter_, disc = "Ölfilter Größe M", "Brake disc"

    for query in ("61784B4040B2", "6178.4b40/40b2", "6178 4B40 40B2", "78-4b4", "ölfilter 6178", "4040b2"):
        assert names(query) == [filter_], query
    for query in (
        "GRÖSSE",
        "grösse",
        "größe",
        "Groesse",
        "Olfilter",
        "Oelfi",
        "m größe öl",
        "1.25 m14x",
        "100%",
    ):
        assert names(query) == [filter_], query
    for query in ("Olfliter", "Ölfiltr", "Ölfilterr", "Olfimter", "Größw m", "Ölfilter Goesse"):
        assert names(query) == [filter_], f"a typo: {query}"
    for query in ("brkae", "brale dsic", "bake", "barke"):
        assert names(query) == [disc], f"a typo: {query}"
    assert names("4b40") == [disc, filter_]  # the very number first
    for query in ("6179-4B40-40B2", "4b4117", "bkr", "ölfilter disc", "_", '"', "\x00", "-"):
        assert names(query) == [], query
    assert names("") == names("  ") == [disc, filter_]


def test_the_best_hit_comes_first(in_app: Flask) -> None:
    create_part({"sku": "A-1", "name": "Cover", "description": "For an oil filter"})
    create_part({"sku": "A-2", "name": "Housing with oil filter"})
    create_part({"sku": "A-3", "name": "Oilseal"})
    create_part({"sku": "A-4", "name": "Filter, oil"})
    create_part({"sku": "OIL", "name": "Zinc plate"})

    assert names("oil") == ["Zinc plate", "Oilseal", "Filter, oil", "Housing with oil filter", "Cover"]


HOSTILE = [
    *(
        '"',
        "'",
        "*",
        "(",
        "NEAR(",
        "a AND",
        "OR OR",
        "a:b",
        "^x",
        "-x",
        "{a}",
        "'':*",
        "a & | !",
        "\\",
        "%",
        "_",
    ),
    *("\x00", "a\x00b", "\ud800", "\U0001f600", "ﷺ", "a\u0301" * 50, "1" * 200, "x" * 10_000, "a b " * 3000),
    *("۱۲۳", "ⅷ", "①", "ﬁlter", "#", "~abc", "#6178", "İ", "ß" * 300),
]


def test_no_query_breaks_it(in_app: Flask) -> None:
    create_part({"sku": "A-1", "name": "Kopf\U0001f600 ﷺ ۱۲۳ ⅷ İ", "description": "'\":* &|!()~#"})

    for query in HOSTILE:
        search(query, EVERY_PART)
        search(f"{query} kopf 12a", PUBLISHED, order="newest")

    assert names("kopf 123") == names("۱۲۳ ⅷ i") == ["Kopf\U0001f600 ﷺ ۱۲۳ ⅷ İ"]


def test_a_change_is_found_at_once_and_what_is_gone_is_not(in_app: Flask) -> None:
    part = make_part("OF-7", name="Spin-on filter")
    assert names("filter", PUBLISHED) == ["Spin-on filter"]

    update_part(part.id, {"name": "Strainer", "is_published": False})

    assert names("filter") == names("strainer", PUBLISHED) == names("", PUBLISHED) == []
    assert names("strainer") == ["Strainer"]
    with pytest.raises(InvalidInput):
        update_part(part.id, {"name": "Sieve", "width_mm": -1})
    assert names("sieve") == []
    delete_part(part.id)
    assert names("strainer") == names("") == []


def pages(query: str = "", order: str = "", limit: int = 4) -> list[Page]:
    """All pages forwards; and it is seen that they are the same backwards."""
    found = [search(query, PUBLISHED, order=order, limit=limit)]
    while found[-1].next:
        found.append(search(query, PUBLISHED, order=order, limit=limit, cursor=str(found[-1].next)))
    back = [found[-1]]
    while back[-1].previous:
        back.append(search(query, PUBLISHED, order=order, limit=limit, cursor=str(back[-1].previous)))
    assert [page.parts for page in back[::-1]] == [page.parts for page in found]
    return found


@pytest.mark.parametrize(
    ("query", "order"), [("", ""), ("", "sku"), ("", "newest"), ("P", ""), ("Brakcet", "")]
)
def test_pages_hold_every_part_once_and_lead_both_ways(in_app: Flask, query: str, order: str) -> None:
    for number in range(10):
        make_part(f"P-{number}", name="Bracket Ä" if number % 3 else "bracket a")
    make_part("P-10", is_published=False)

    found = pages(query, order)

    skus = [part.sku for page in found for part in page.parts]
    assert [len(page.parts) for page in found] == [4, 4, 2]
    assert sorted(skus) == [f"P-{number}" for number in range(10)]
    assert {page.total for page in found} == {10}
    if order:
        assert skus == sorted(skus, reverse=order == "newest")


ID = "00000000-0000-4000-8000-000000000000"


def cursor(*said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


ODD_CURSORS = [
    *("x", "ä", "=", "W", "\x00", "a" * 5000, cursor(), cursor("name"), cursor("sku", 0, "a", "b")),
    *(cursor("name", 0, "a", "b", "not an id"), cursor("name", 7, "a", "b", ID), cursor("name", 0, 1, 2, 3)),
    *(cursor("name", 0, "\ud800", "a", ID), cursor("name", 0, "a\x00", "b", ID), cursor([], 0)),
    base64.urlsafe_b64encode(b"[" * 700).decode(),
]


def test_a_cursor_that_is_none_gets_a_sentence(in_app: Flask) -> None:
    make_part("P-1")

    for text in ODD_CURSORS:
        with pytest.raises(InvalidInput, match="Open the list from its beginning"):
            search("", PUBLISHED, cursor=text)


def test_more_hits_than_are_counted_are_said_to_be_more(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acr3d.parts.search.COUNTED", 3)
    for number in range(4):
        make_part(f"P-{number}")

    every, found, few = search("", PUBLISHED), search("bracket", PUBLISHED), search("p-1", PUBLISHED)

    assert COUNTED == 10_000
    assert [(page.total, page.is_more) for page in (every, found, few)] == [(3, True), (3, True), (1, False)]
    assert len(every.parts) == 4


PARTS = [
    ("6178-4B40-40B2", "Ölfilter Größe M"),
    ("1J0 615 301.A", "Bremsscheibe hinten belüftet"),
    ("06A/905/161", "Lichtmaschine 90 A"),
    ("7701-206-686", "Zündkerze Iridium"),
    ("BX.7712", "Stoßdämpfer vorn"),
    ("8E0-407-693", "Querlenker rechts"),
    ("LR 045 021", "Auspuffkrümmer"),
    ("5Q0.253.059", "Kühler Aluminium"),
    ("31-12-6-756", "Türgriff außen"),
    ("A2710 1001", "Zahnriemen Satz"),
    ("1K0/199/262", "Turbolader überholt"),
    ("GDB-1330", "Caliper bracket"),
    ("FL-820S", "Spin-on oil filter"),
    ("90915 YZZD3", "Fuel pump"),
    ("13470-31", "Alternator pulley"),
    ("VKBA.3569", "Wheel bearing kit"),
    ("C2S-43926", "Throttle body"),
    ("95.51", "Ignition coil"),
    ("4E0-616-039", "Air spring strut"),
    ("22641", "Crankshaft sensor"),
]


def test_a_test_set_of_spellings_is_found(in_app: Flask) -> None:
    """Three spellings of each of 20 numbers, and three of each name: 120 in all."""
    for sku, name in PARTS:
        create_part({"sku": sku, "name": name})
        create_part({"sku": f"{sku}-X", "name": f"Cover of {sku}"})
    lost = []
    for sku, name in PARTS:
        plain = "".join(one for one in sku if one.isalnum())
        for typed in (plain, plain.lower(), " ".join(plain[at : at + 3] for at in range(0, len(plain), 3))):
            assert names(typed)[0] == name, typed
        word = max(name.split(), key=len)
        swapped = f"{word[:2]}{word[3]}{word[2]}{word[4:]}"
        unaccented = word.translate(str.maketrans({"ö": "o", "ü": "ue", "ä": "a", "ß": "ss", "Ö": "OE"}))
        lost += [
            typed
            for typed in (swapped, unaccented.upper(), word[: len(word) - 2])
            if name not in names(typed)
        ]

    assert len(lost) <= 0.05 * 3 * len(PARTS), lost
