"""Changes what admins choose for the whole shop: checked and saved whole, and never over somebody else's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from babel.core import get_global
from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import select

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import BACKGROUNDS, ShopOptions
from acr3d.db.models.content import ONLY_ROW
from acr3d.db.session import transaction
from acr3d.errors import Conflict, InvalidInput
from acr3d.shop import colours, options

LONGEST_NAME = 80
LOGO_BYTES = 200_000
UNITS = ("mm", "in")
NO_LANGUAGE = "none"
_MOST_CREDITS = 10_000_000
_LONGEST_EMAIL = 254  # RFC 5321
_LOGO_STARTS = {
    "image/png": (b"\x89PNG\r\n\x1a\n", 0),
    "image/jpeg": (b"\xff\xd8\xff", 0),
    "image/webp": (b"WEBP", 8),
}
"""What the files begin with, and where."""


def revision() -> str:
    """Names the choices as they are now, for a form to say what it saw."""
    return _revision(_row())


def save(form: Mapping[str, str], seen: str) -> None:
    """Choose what the form says. What the environment says too is left to it.

    Raises InvalidInput with the field, or Conflict when the choices are not those with the revision `seen`.
    """
    given = settings.current()
    chosen: dict[str, Any] = {}
    for name, parse in _FIELDS.items():
        try:
            value = parse(form.get(name, "").strip())
        except InvalidInput as problem:
            problem.field = name
            raise
        default = getattr(given.shop, name) if hasattr(given.shop, name) else getattr(given, name)
        chosen[name] = None if value == default else value
    _store(chosen, seen)


def save_logo(content: bytes, seen: str) -> None:
    """Show this picture; empty: show what the environment names. Raises as `save` does."""
    if not content:
        _store({"logo_file": None, "logo_type": None, "logo_sha256": None}, seen)
        return
    kind = next((kind for kind, (start, at) in _LOGO_STARTS.items() if content.startswith(start, at)), None)
    if kind is None:
        raise _refusal("logo", _("The logo must be a PNG, JPEG or WebP file."))
    if len(content) > LOGO_BYTES:
        most = LOGO_BYTES // 1000
        raise _refusal("logo", _("The logo is larger than %(most)s kB. It is shown small.", most=most))
    sha256 = hashlib.sha256(content).hexdigest()
    _store({"logo_file": content, "logo_type": kind, "logo_sha256": sha256}, seen)


def offer_downloads(is_offered: bool) -> None:
    with transaction() as session:
        session.merge(ShopOptions(id=ONLY_ROW, offers_downloads=is_offered))
    options.forget()


def choose_webhook_notices(kinds: Sequence[str]) -> None:
    """Send these kinds to the webhook from now on."""
    with transaction() as session:
        session.merge(ShopOptions(id=ONLY_ROW, webhook_notices=" ".join(kinds)))
    options.forget()


def logo() -> tuple[bytes, str] | None:
    """The picture that was uploaded, and its media type."""
    row = db.session.execute(select(ShopOptions.logo_file, ShopOptions.logo_type)).one_or_none()
    return (row.logo_file, row.logo_type) if row and row.logo_file else None


def _store(values: dict[str, Any], seen: str) -> None:
    with transaction() as session:
        row = session.get(ShopOptions, ONLY_ROW, with_for_update=True)
        if _revision(row) != seen:
            raise Conflict(
                _("Somebody else changed these settings meanwhile, so nothing was saved. Reload the page.")
            )
        if row is None:
            row = ShopOptions(id=ONLY_ROW)
            session.add(row)
        for name, value in values.items():
            setattr(row, name, value)
    options.forget()


def _row() -> ShopOptions | None:
    return db.session.get(ShopOptions, ONLY_ROW)


def _revision(row: ShopOptions | None) -> str:
    values = [getattr(row, name, None) for name in options.NAMES]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _refusal(field: str, sentence: str) -> InvalidInput:
    problem = InvalidInput(sentence)
    problem.field = field
    return problem


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise InvalidInput(_("The name may have up to %(n)s characters, in one line.", n=LONGEST_NAME))
    return text


def _email(text: str) -> str:
    is_usable = len(text) <= _LONGEST_EMAIL and text.isprintable()
    if text and not (is_usable and settings.SHOP_EMAIL.fullmatch(text)):
        raise InvalidInput(_("“%(text)s” is not a valid email address.", text=text[:100]))
    return text


def _phone(text: str) -> str:
    if text and not settings.SHOP_PHONE.fullmatch(text):
        raise InvalidInput(_("“%(text)s” is not a phone number.", text=text[:100]))
    return text


def _whatsapp(text: str) -> str:
    number = settings.plain_number(text)
    if number and not settings.SHOP_WHATSAPP.fullmatch(number):
        raise InvalidInput(_("The WhatsApp number needs its country code, like +49 151 2345678."))
    return number


def _accent(text: str) -> str:
    if not text:
        return ""
    colour = colours.parsed(text)
    if colour is None:
        raise InvalidInput(_("The colour must look like #0e5f6b."))
    if colours.least_contrast(colour) < colours.LEAST_CONTRAST:
        raise InvalidInput(
            _(
                "This colour is hard to read on light pages: its contrast is %(contrast)s, and text needs "
                "%(least)s. The nearest shade that can be read is %(shade)s.",
                contrast=format_decimal(round(colours.least_contrast(colour), 1)),
                least=format_decimal(colours.LEAST_CONTRAST),
                shade=colours.in_hex(colours.readable(colour)),
            )
        )
    return colours.in_hex(colour)


def _currency(text: str) -> str:
    code = text.upper()
    if code and code not in get_global("all_currencies"):
        raise InvalidInput(_("“%(field)s” must be a currency's code, such as EUR.", field=_("Currency")))
    return code


def _units(text: str) -> str:
    if text not in UNITS:
        raise InvalidInput(_("Choose one of the units."))
    return text


def _background(text: str) -> str:
    if text not in BACKGROUNDS:
        raise InvalidInput(_("Choose one of the two."))
    return text


def _languages(text: str) -> str:
    """Words between blanks, which the form knows; NO_LANGUAGE for none, empty for all."""
    if text == NO_LANGUAGE:
        raise InvalidInput(_("Choose at least one language."))
    return text


def _whole(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
            shown = format_decimal(most)
            raise InvalidInput(_("This must be a whole number from 0 to %(most)s.", most=shown))
        return int(text)

    return parse


_FIELDS: dict[str, Callable[[str], Any]] = {
    "name": _name,
    "accent": _accent,
    "email": _email,
    "phone": _phone,
    "whatsapp": _whatsapp,
    "currency": _currency,
    "units": _units,
    "languages": _languages,
    "photo_background": _background,
    "review_before_publish": bool,
    "admins_need_code": bool,
    "ask_agreement": _whole(100),
    "monthly_budget": _whole(_MOST_CREDITS),
    "user_monthly_limit": _whole(_MOST_CREDITS),
    "low_balance": _whole(_MOST_CREDITS),
}
