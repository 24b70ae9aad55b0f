"""Which field a column fills, by its heading in English, German or Spanish: `Breite (cm)` is the width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from acr3d.parts.fields import FIELDS

PHOTOS = "photos"
"""A column of photos: file names among those that come with the table, or addresses."""

# Beside the fields' own names. Written as `_key` leaves them.
_NAMED = {
    "sku": "sku variantsku reference "
    "partnumber partnr partno pn articlenumber articleno itemnumber itemno itemcode "
    "artikelnummer artikelnr artnr teilenummer teilenr bestellnummer sachnummer "
    "referencia numerodeparte numerodepieza codigo codigodearticulo",
    "name": "name title partname productname itemname producttitle "
    "bezeichnung artikelbezeichnung artikelname produktname titel benennung "
    "nombre titulo denominacion producto",
    "description": "description details body bodyhtml longdescription "
    "beschreibung artikelbeschreibung langtext langbeschreibung descripcion detalle",
    "width_mm": "width breite ancho anchura",
    "height_mm": "height hoehe hohe alto altura",
    "depth_mm": "depth length tiefe laenge lange profundidad fondo largo longitud",
    "brand": "brand brands manufacturer vendor make marke hersteller marca fabricante",
    "category": "category kategorie warengruppe categoria",
    "condition": "condition zustand estado",
    "price": "price regularprice variantprice pricetaxexcluded pricetaxincluded unitprice "
    "preis verkaufspreis precio",
    "currency": "currency waehrung wahrung moneda divisa",
    "availability": "availability verfuegbarkeit verfugbarkeit disponibilidad",
    "weight_g": "weight variantgrams gewicht peso",
    "numbers": "numbers oenumbers oenummern vergleichsnummern",
    "fitment": "fitment vehicles fahrzeuge vehiculos",
    "attributes": "attributes attribute merkmale atributos",
    "photos": "photos photo images image imagesrc imageurl imageurls imageurlsxyz baseimage pictures picture "
    "fotos foto bilder bild bildurl abbildungen imagenes imagen",
    "is_published": "published public visible online active active01 productonline "
    "veroeffentlicht veroffentlicht oeffentlich sichtbar aktiv publicado activo",
}
_FIELD_OF = {word: name for name, words in _NAMED.items() for word in words.split()}
_UNIT = re.compile(
    r"\s*(?:[(\[]\s*(?:in\s+)?(?P<bracketed>[^\W\d_]{1,10}|\")\s*[)\]]"
    r"|[\s_](?:in\s)?(?P<plain>mm|cm|m|in|inch|zoll|kg|g|lb))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Column:
    """A column: its heading as written, the field it fills (None: left out), and the unit in the heading."""

    heading: str
    field: str | None
    unit: str = ""


def match(headings: Sequence[str], asked: Mapping[str, str | None]) -> Iterator[Column]:
    """The columns with these headings. `asked` decides for the headings it has; of several columns that name
    a field, the first one fills it.
    """
    taken = {asked[one] for one in headings if asked.get(one)}
    for heading in headings:
        if heading in asked:
            yield Column(heading, asked[heading], _unit(heading))
            continue
        field = _field(heading)
        if field in taken:
            field = None
        taken.add(field)
        yield Column(heading, field, _unit(heading) if field else "")


def field_names() -> Iterable[str]:
    """The fields that a column can fill."""
    return (*(field.name for field in FIELDS), PHOTOS)


def _field(heading: str) -> str | None:
    plain = heading.strip()
    if plain in field_names():
        return plain
    return _FIELD_OF.get(_key(_UNIT.sub("", plain)))


def _unit(heading: str) -> str:
    found = _UNIT.search(heading)
    return (found["bracketed"] or found["plain"]) if found else ""


def _key(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
