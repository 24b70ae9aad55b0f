"""A message in three columns: its English text for readers of the database, its code and its parameters."""

from __future__ import annotations

from typing import Any, overload

from sqlalchemy import JSON

from acr3d.messages.message import Message

MESSAGE_PARAMS = JSON(none_as_null=True)
"""The type of the column with a message's parameters."""


class MessageColumns:
    """An attribute of a mapped class: the message that the row's three columns hold, or None.

    The text alone says whether there is one. A row without a code has plain text: an earlier version wrote
    it, or somebody with SQL. A code that this version does not know is shown by its text.
    """

    def __init__(self, text: str, code: str, params: str) -> None:
        self._text, self._code, self._params = text, code, params

    @overload
    def __get__(self, row: None, owner: type) -> MessageColumns: ...
    @overload
    def __get__(self, row: object, owner: type) -> Message | None: ...
    def __get__(self, row: object | None, owner: type) -> MessageColumns | Message | None:
        if row is None:
            return self
        english: str | None = getattr(row, self._text)
        if english is None:
            return None
        return Message.stored(getattr(row, self._code), getattr(row, self._params), english)

    def __set__(self, row: object, message: Message | None) -> None:
        for name, value in self.values(message).items():
            setattr(row, name, value)

    def values(self, message: Message | None) -> dict[str, Any]:
        """The columns' values, for an UPDATE of many rows."""
        if message is None:
            return dict.fromkeys((self._text, self._code, self._params))
        return {
            self._text: str(message),
            self._code: message.code,
            self._params: message.stored_params(),
        }
