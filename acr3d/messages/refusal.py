"""A child's refusal as the JSON line that its parent reads: an English sentence and the message behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from acr3d.messages.message import Message


def written(message: Message, code: str) -> str:
    """The line; `code` is a word for programs."""
    return json.dumps(as_json(message, code))


def as_json(message: Message, code: str) -> dict[str, Any]:
    """As `written`, for a report on several inputs, of which some are refused."""
    return {"error": str(message), "code": code, "message": message.as_json()}


def read(line: Mapping[str, Any]) -> Message:
    """The message of a decoded line; plain English where this version cannot word it."""
    return Message.from_json(line.get("message"), str(line.get("error", "")))
