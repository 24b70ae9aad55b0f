"""The WSGI application. Importing it starts nothing; gunicorn.conf.py starts the poller."""

from __future__ import annotations

from acr3d.app import create_app

app = create_app()
