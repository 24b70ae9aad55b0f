"""Messages in the language of whoever reads them."""

from __future__ import annotations

from flask_babel import format_decimal, gettext

from acr3d.messages.message import Message


def worded(message: Message | None) -> str:
    """The message in the reader's language; nothing for None."""
    return message.filled(gettext, _number) if message is not None else ""


def _number(value: float) -> str:
    return str(format_decimal(value))
