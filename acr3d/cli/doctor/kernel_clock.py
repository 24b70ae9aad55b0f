"""Whether the kernel's clock is being set: adjtimex(2), which Python does not offer."""

from __future__ import annotations

import ctypes

_TIME_ERROR = 5  # “the clock is not synchronized”
_STRUCT_TIMEX_BYTES = 512  # more than any platform's; all zero means: change nothing


def is_synchronized() -> bool | None:
    """None where the system does not say."""
    asked = ctypes.create_string_buffer(_STRUCT_TIMEX_BYTES)
    try:
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(asked)
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR
