"""The kinds of fields that hold one of a few words, an amount of money, a currency, or a category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.core import get_global
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from acr3d.db.types import is_id
from acr3d.errors import InvalidInput
from acr3d.parts import categories, numerals
from acr3d.parts.quantities import spelt, unclear


@dataclass(frozen=True)
class Choice:
    """One of a few words, or none."""

    words: tuple[tuple[str, str], ...]
    """Each with its label."""

    widget = "choice"
    json_types = (str,)

    def parse(self, value: object, label: str) -> str | None:
        if value is None or value == "":
            return None
        known = [word for word, _name in self.words]
        if value not in known:
            words = ", ".join(known)
            raise InvalidInput(gettext("“%(name)s” must be one of: %(words)s.", name=label, words=words))
        return str(value)

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "")

    def to_form(self, value: object) -> str:
        return "" if value is None else str(value)

    def in_words(self, text: str) -> str:
        return str(dict(self.words).get(text, gettext("empty")))


@dataclass(frozen=True)
class Amount:
    """Money, without its currency: at most three decimals, as in some currencies."""

    high: float

    widget = "quantity"
    json_types = (int, float)

    def parse(self, value: object, label: str) -> float | None:
        if value is None or value == "":
            return None
        amount = self._read(value, label) if isinstance(value, str) else value
        is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not is_number or not 0 <= amount <= self.high or round(amount, 3) != amount:  # type: ignore[operator,call-overload]
            raise InvalidInput(
                gettext(
                    "“%(field)s” must be an amount from 0 to %(high)s with at most three decimals.",
                    field=label,
                    high=spelt(self.high),
                )
            )
        return float(amount)  # type: ignore[arg-type]

    def _read(self, text: str, label: str) -> float | None:
        try:
            return float(numerals.read_number(text))
        except numerals.NotANumber:
            return None
        except numerals.Ambiguous as both:
            first, second = (spelt(float(one)) for one in both.readings)
            raise unclear(text, label, first, second) from both

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "").strip()

    def to_form(self, value: object) -> str:
        if isinstance(value, int | float):
            return spelt(value)
        return "" if value is None else str(value)

    def in_words(self, text: str) -> str:
        return text or str(gettext("empty"))


class Currency:
    """A code of ISO 4217."""

    max_length = 3
    is_code = True
    widget = "text"
    json_types = (str,)

    def parse(self, value: object, label: str) -> str | None:
        code = value.strip().upper() if isinstance(value, str) else value
        if not code:
            return None
        if code not in get_global("all_currencies"):
            raise InvalidInput(gettext("“%(field)s” must be a currency's code, such as EUR.", field=label))
        return str(code)

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "")

    def to_form(self, value: object) -> str:
        return "" if value is None else str(value)

    def in_words(self, text: str) -> str:
        return text or str(gettext("empty"))


class CategoryPath:
    """A category by the names from the top, `Brakes/Discs`; stored as its id."""

    max_length = 3 * categories.NAME_LENGTH + 2
    widget = "category"
    json_types = (str,)

    def parse(self, value: object, label: str) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise InvalidInput(gettext("“%(field)s” must be plain text.", field=label))
        return categories.by_path(value).id if value.strip() else None

    def from_form(self, form: Mapping[str, str], name: str) -> str:
        return form.get(name, "")

    def to_form(self, value: object) -> str:
        text = "" if value is None else str(value)
        return categories.path_of(text) if is_id(text) else text

    def in_words(self, text: str) -> str:
        return text or str(gettext("empty"))


AVAILABILITY = Choice(
    (("in_stock", _("in stock")), ("out_of_stock", _("out of stock")), ("on_order", _("on order")))
)
CONDITION = Choice((("new", _("new")), ("used", _("used")), ("refurbished", _("refurbished"))))
