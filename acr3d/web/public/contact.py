"""“Ask about this part”: links that open a message to the shop in which the part is already named."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from flask import url_for
from flask_babel import gettext as _

from acr3d.db.models import Part
from acr3d.shop import options
from acr3d.web.templating import absolute


@dataclass(frozen=True)
class Contact:
    """A way to reach the shop."""

    label: str
    icon: str
    href: str


def contacts(part: Part) -> list[Contact]:
    """The ways to ask about `part`: those that the settings name."""
    shop = options.current().shop
    page = absolute(url_for("public.part", sku=part.sku))
    subject = _("Question about %(sku)s, %(name)s", sku=part.sku, name=part.name)
    found = []
    if shop.email:
        message = f"subject={quote(subject, safe='')}&body={quote(chr(10) * 2 + page, safe='')}"
        found.append(Contact(_("Ask by email"), "mail", f"mailto:{shop.email}?{message}"))
    if shop.whatsapp:
        text = quote(f"{subject}\n{page}\n", safe="")
        found.append(Contact("WhatsApp", "message-circle", f"https://wa.me/{shop.whatsapp}?text={text}"))
    if shop.phone:
        found.append(Contact(shop.phone, "phone", phone_link(shop.phone)))
    return found


def phone_link(number: str) -> str:
    """A link that calls `number`."""
    return "tel:" + "".join(character for character in number if character in "+0123456789")
