"""`flask engine …`: the built-in engine on a port of its own."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d import settings
from acr3d.engine_server.app import serve
from acr3d.engines.builtin.provider import BuiltinProvider

engine = AppGroup("engine", help="Run the built-in engine on its own.")


@engine.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to listen on.")
def serve_engine(port: int) -> None:
    """Serve the built-in engine on 127.0.0.1.

    Another acr3d on this host can use it as its engine. Any bearer key is accepted.
    """
    serve(BuiltinProvider(settings.current()).app, port)
