"""`flask webhook …`: where Meshy may tell us that a task has changed."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d import settings

webhook = AppGroup("webhook", help="Where Meshy may tell of changes.")


@webhook.command("url")
def url() -> None:
    """Print the address to enter in Meshy's API settings. It is a secret."""
    config = settings.current()
    origin = config.public_url or f"http://127.0.0.1:{config.port}"
    if not config.is_https:
        click.echo("Meshy calls HTTPS addresses only: set ACR3D_PUBLIC_URL to the https:// one.", err=True)
    if not config.webhook_secret:
        click.echo("Meshy shows a secret when the webhook is made: set ACR3D_WEBHOOK_SECRET to it.", err=True)
    click.echo(f"{origin}/webhooks/meshy/{config.webhook_path}")
