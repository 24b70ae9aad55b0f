"""Whether this host can read captures: PyAV and OpenCV are an optional extra, `make spin`."""

from __future__ import annotations

import importlib.util

from flask_babel import gettext as _

from acr3d.errors import Conflict


def is_installed() -> bool:
    """Imports nothing: only children load these packages."""
    return all(importlib.util.find_spec(name) is not None for name in ("av", "cv2"))


def check_installed() -> None:
    """Raises Conflict."""
    if not is_installed():
        raise Conflict(_("Spin capture is not installed on this server. “make spin” installs it."))
