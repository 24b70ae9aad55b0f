"""The WSGI application. Importing it starts nothing; gunicorn.conf.py starts the poller."""

from __future__ import annotations

import os
import sys

from acr3d.app import create_app
from acr3d.settings import SettingsError

# With this exit code gunicorn stops; with others it would start its worker again and again.
_BOOT_ERROR = 3

os.umask(0o077)  # what commands write is nobody else's
try:
    app = create_app()
except SettingsError as error:
    print(f"acr3d: {error}", file=sys.stderr)
    sys.exit(_BOOT_ERROR)
