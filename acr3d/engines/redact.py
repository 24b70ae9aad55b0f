"""Makes foreign text fit to be shown and logged: no keys, no signed URLs, no image data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from acr3d.foreign import one_line

_MAX_LENGTH = 300
_MOST_READ = 4_000  # the patterns take more than linear time
_DATA_URI = re.compile(r"data:[\w/+.-]*(?:;[\w=-]+)*,\S*", re.IGNORECASE)
_URL_QUERY = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*", re.IGNORECASE)
_KEY = re.compile(r"\bmsy[_-]\w+|(?<=bearer )\S+", re.IGNORECASE)
_ENCODED = re.compile(r"[A-Za-z0-9+/_=-]{64,}")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """One printable line of at most 300 characters. `secrets` are removed wherever they occur."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    text = _DATA_URI.sub("[image]", text[:_MOST_READ])
    text = _URL_QUERY.sub(r"\1", text)
    text = _ENCODED.sub("[data]", _KEY.sub("[key]", text))
    return one_line(" ".join(one_line(text, _MOST_READ).split()), _MAX_LENGTH)
