"""`flask webhook …`: the webhook through which Meshy reports changed tasks."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d import settings

webhook = AppGroup("webhook", help="Set up the Meshy webhook.")


@webhook.command("url")
def url() -> None:
    """Print the address to enter in Meshy's API settings.

    Keep it secret: anyone who knows it can send hints about tasks.
    """
    config = settings.current()
    origin = config.public_url or f"http://127.0.0.1:{config.port}"
    if not config.is_https:
        click.echo("Meshy calls HTTPS addresses only. Set ACR3D_PUBLIC_URL to an https:// one.", err=True)
    if not config.webhook_secret:
        click.echo(
            "Meshy shows a secret when it creates the webhook. Set ACR3D_WEBHOOK_SECRET to it.", err=True
        )
    click.echo(f"{origin}/webhooks/meshy/{config.webhook_path}")
