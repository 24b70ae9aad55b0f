"""The facts of a part that people enter: one table, which the API, the admin form and the checks all follow.

To add a field, add its column to `db.models.parts` (with a migration) and its line to FIELDS.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import NoneType
from typing import Any, Protocol

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from acr3d.db.models import Part
from acr3d.errors import InvalidInput
from acr3d.parts.fact_kinds import AVAILABILITY, CONDITION, Amount, CategoryPath, Currency
from acr3d.parts.fact_lists import ATTRIBUTES, FITMENT, NUMBERS
from acr3d.parts.quantities import LENGTH, WEIGHT, Measure, read_quantity, spelt


class FieldKind(Protocol):
    """What values a field takes, and how they arrive."""

    @property
    def widget(self) -> str:
        """How the form shows it: one of the branches of the macro `part_field` in `admin/_macros.html`."""

    @property
    def json_types(self) -> tuple[type, ...]:
        """What JSON may send, beside null for a field that may be empty."""

    def parse(self, value: object, label: str) -> Any:
        """The value for the column; None for an empty one. Raises InvalidInput."""

    def from_form(self, form: Mapping[str, str], name: str) -> object:
        """What the form says, for `parse`."""

    def to_form(self, value: object) -> str:
        """What the form shows for a value of the column, or for what was typed; empty for none."""

    def in_words(self, text: str) -> str:
        """What the form shows, for a reader."""


@dataclass(frozen=True)
class Text:
    """Text of one line, or of many."""

    max_length: int
    is_multiline: bool = False
    is_code: bool = False
    """Spelt letter by letter, so a keyboard must not correct it."""
    check: Callable[[str], None] | None = None
    """Raises InvalidInput for text that cannot be used."""

    json_types = (str,)

    @property
    def widget(self) -> str:
        return "textarea" if self.is_multiline else "text"

    def parse(self, value: object, label: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or (self.is_multiline and "\x00" in value):
            raise InvalidInput(gettext("“%(field)s” must be plain text.", field=label))
        text = value.replace("\r\n", "\n").strip()
        if not self.is_multiline:
            text = "".join(" " if unicodedata.category(one) == "Zs" else one for one in text)
        if len(text) > self.max_length:
            too_long = gettext("“%(field)s” is longer than %(n)s characters.", field=label, n=self.max_length)
            raise InvalidInput(too_long)
        if not self.is_multiline and not text.isprintable():
            raise InvalidInput(gettext("“%(field)s” contains an unprintable character.", field=label))
        if self.check:
            self.check(text)
        return text or None

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "")

    def to_form(self, value: object) -> str:
        return _text(value)

    def in_words(self, text: str) -> str:
        return text or str(gettext("empty"))


@dataclass(frozen=True)
class Quantity:
    """A measured quantity from `low` to `high`, in the measure's own unit; people may type other units."""

    low: float
    high: float
    measure: Measure

    widget = "quantity"
    json_types = (int, float)

    def parse(self, value: object, label: str) -> float | None:
        if value is None or value == "":
            return None
        number = float(read_quantity(value, self.measure, label)) if isinstance(value, str) else value
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not (is_number and self.low <= number <= self.high):  # type: ignore[operator]
            raise InvalidInput(
                gettext(
                    "“%(field)s” must be a number from %(low)s to %(high)s %(unit)s.",
                    field=label,
                    low=spelt(self.low),
                    high=spelt(self.high),
                    unit=self.measure.unit,
                )
            )
        return float(number)  # type: ignore[arg-type]

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "").strip()

    def to_form(self, value: object) -> str:
        return spelt(value) if isinstance(value, int | float) else _text(value)

    def in_words(self, text: str) -> str:
        return f"{text} {self.measure.unit}" if text else str(gettext("empty"))


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    widget = "checkbox"
    json_types = (bool,)

    def parse(self, value: object, label: str) -> bool:
        if not isinstance(value, bool):
            raise InvalidInput(gettext("“%(field)s” must be true or false.", field=label))
        return value

    def from_form(self, form: Mapping[str, str], name: str) -> bool:
        return name in form

    def to_form(self, value: object) -> str:
        return "on" if value else ""

    def in_words(self, text: str) -> str:
        return str(gettext("yes") if text else gettext("no"))


@dataclass(frozen=True)
class FieldGroup:
    """Fields that the form shows side by side under one heading; folded, unless one of them is filled."""

    legend: str
    hint: str
    is_folded: bool = True


@dataclass(frozen=True)
class Field:
    """One fact of a part. `name` is its column, its key in JSON and its name in the form."""

    name: str
    kind: FieldKind
    label: str
    is_required: bool = False
    default: object = None
    """Of a new part."""
    public_name: str | None = None
    """Its key in the public API, dotted where that nests; None for what only staff see."""
    group: FieldGroup | None = None
    column: str = ""
    """Where its value is written, if not under its name."""

    @property
    def json_types(self) -> tuple[type, ...]:
        is_nullable = not self.is_required and self.default is None
        return (*self.kind.json_types, NoneType) if is_nullable else self.kind.json_types

    def parse(self, value: object) -> Any:
        """The value for the column. Raises InvalidInput, whose `field` is this one's name."""
        try:
            parsed = self.kind.parse(value, self.label)  # translated only where something is wrong
            if parsed is None and self.is_required:
                raise InvalidInput(gettext("“%(field)s” must not be empty.", field=str(self.label)))
        except InvalidInput as refusal:
            refusal.field = self.name
            raise
        return parsed


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _check_sku(sku: str) -> None:
    if sku in (".", ".."):  # browsers take these for folders, however they are encoded
        raise InvalidInput(gettext("The SKU “%(sku)s” cannot be part of a web address.", sku=sku))


SKU_LENGTH = 64
_SIZE = FieldGroup(
    _("Size in millimetres"),
    _("optional, also as 6.5 cm or 2 1/2 in; AR shows new models in true size"),
    is_folded=False,
)
_SHOP = FieldGroup(_("Kind of part"), _("optional"))
_PRICE = FieldGroup(_("Price"), _("optional; the unit is a piece, a pair, a metre"))
_MORE = FieldGroup(_("Stock"), _("optional; the weight also as 1.2 kg or 3 lb"))
_LISTS = FieldGroup(_("Numbers, vehicles, attributes"), _("optional"))
_LENGTH = Quantity(0.1, 100_000, LENGTH)

# In the order of the form.
FIELDS: tuple[Field, ...] = (
    Field("name", Text(200), _("Name"), is_required=True, public_name="name"),
    Field(
        "sku",
        Text(SKU_LENGTH, is_code=True, check=_check_sku),
        _("Part number (SKU)"),
        is_required=True,
        public_name="sku",
    ),
    Field("description", Text(5000, is_multiline=True), _("Description"), public_name="description"),
    Field("width_mm", _LENGTH, _("Width"), public_name="size_mm.width", group=_SIZE),
    Field("height_mm", _LENGTH, _("Height"), public_name="size_mm.height", group=_SIZE),
    Field("depth_mm", _LENGTH, _("Depth"), public_name="size_mm.depth", group=_SIZE),
    Field("brand", Text(100), _("Brand"), public_name="brand", group=_SHOP),
    Field(
        "category", CategoryPath(), _("Category"), public_name="category", group=_SHOP, column="category_id"
    ),
    Field("condition", CONDITION, _("Condition"), public_name="condition", group=_SHOP),
    Field("price", Amount(10_000_000), _("Price"), public_name="price", group=_PRICE),
    Field("currency", Currency(), _("Currency"), public_name="currency", group=_PRICE),
    Field("price_unit", Text(20), _("Price for"), public_name="price_unit", group=_PRICE),
    Field("availability", AVAILABILITY, _("Availability"), public_name="availability", group=_MORE),
    Field(
        "weight_g",
        Quantity(0.01, 100_000_000, WEIGHT),
        _("Weight in grams"),
        public_name="weight_g",
        group=_MORE,
    ),
    Field("numbers", NUMBERS, _("Other numbers"), public_name="numbers", group=_LISTS),
    Field("fitment", FITMENT, _("Fits these vehicles"), public_name="fitment", group=_LISTS),
    Field("attributes", ATTRIBUTES, _("Attributes"), public_name="attributes", group=_LISTS),
    Field("is_published", Switch(), _("Published: customers can see this part"), default=True),
)


def assign(part: Part, values: Mapping[str, object]) -> None:
    """Parse `values` and write them to the part. Raises InvalidInput."""
    by_name = {field.name: field for field in FIELDS}
    unknown = sorted(set(values) - set(by_name))
    if unknown:
        raise InvalidInput(gettext("Unknown field: %(name)s.", name=unknown[0]))
    for name, value in values.items():
        setattr(part, column_of(name), by_name[name].parse(value))


def column_of(name: str) -> str:
    """Where the value of the field with this name is written."""
    return next(field.column or name for field in FIELDS if field.name == name)


def new_part_values() -> dict[str, object]:
    """What the fields of a new part hold before anybody fills them in."""
    return {field.name: field.default for field in FIELDS}


def default_values() -> dict[str, Any]:
    """What a new part holds in the fields that it may lack, as `assign` would write it."""
    return {field.name: field.parse(field.default) for field in FIELDS if not field.is_required}


def values_of(part: Part) -> dict[str, Any]:
    """All fields of the part, for staff."""
    return {field.name: getattr(part, field.name) for field in FIELDS}


def public_values_of(part: Part) -> dict[str, Any]:
    """The fields of the part that customers may see, nested as the public API shows them."""
    shown: dict[str, Any] = {}
    for field in FIELDS:
        if field.public_name:
            outer, _dot, inner = field.public_name.rpartition(".")
            place = shown.setdefault(outer, {}) if outer else shown
            place[inner] = getattr(part, field.name)
    return shown


def from_form(form: Mapping[str, str]) -> dict[str, object]:
    """What was typed into the form, for `assign`."""
    return {field.name: field.kind.from_form(form, field.name) for field in FIELDS}


def json_types() -> dict[str, type | tuple[type, ...]]:
    """The types that each field may have in JSON."""
    return {field.name: field.json_types for field in FIELDS}


def required_names() -> tuple[str, ...]:
    """The fields without which there is no part."""
    return tuple(field.name for field in FIELDS if field.is_required)


def form_rows() -> Iterable[tuple[FieldGroup | None, list[Field]]]:
    """The fields in the order of the form, those of one group together."""
    return [(group, list(fields)) for group, fields in groupby(FIELDS, key=lambda field: field.group)]
