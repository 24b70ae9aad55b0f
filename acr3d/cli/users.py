"""`flask users …`: accounts and API tokens from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from acr3d import settings
from acr3d.accounts import passwords, rights, second_factor, tokens
from acr3d.accounts import users as accounts
from acr3d.db.models import ROLES
from acr3d.errors import InvalidInput

DEFAULT_ADMIN = "admin@example.com"

users = AppGroup("users", help="Manage accounts and API tokens.")
_role = click.Choice(ROLES)


@contextmanager
def _plainly() -> Iterator[None]:
    """Print invalid input as one sentence on stderr with exit code 1, not as a traceback."""
    try:
        yield
    except InvalidInput as refusal:
        raise click.ClickException(str(refusal)) from refusal


@users.command("create")
@click.argument("email")
@click.option("--password", help="Without it, a one-time password is generated and printed.")
@click.option("--role", type=_role, default="viewer", show_default=True)
def create(email: str, password: str | None, role: str) -> None:
    """Create an account.

    Viewers see everything but change nothing; editors change parts and generate models; admins also manage
    people and settings.
    """
    made = None if password is not None else passwords.made()
    with _plainly():
        user = accounts.create_user(email, made or password or "", role, one_time=made is not None)
    click.echo(f"Created {user.email} ({user.role}).")
    _show_password(made)


@users.command("password")
@click.argument("email")
@click.option("--password", help="Without it, a one-time password is generated and printed.")
def password(email: str, password: str | None) -> None:
    """Set a new password and log the account out everywhere."""
    made = None if password is not None else passwords.made()
    with _plainly():
        user = accounts.reset_password(email, made or password or "", one_time=made is not None)
    click.echo(f"Set a new password for {user.email} and logged it out everywhere.")
    _show_password(made)


@users.command("logout")
@click.argument("email")
def logout(email: str) -> None:
    """Log an account out everywhere. Its password and API tokens still work."""
    with _plainly():
        user = accounts.user_by_email(email)
        accounts.log_out_everywhere(user)
    click.echo(f"Logged {user.email} out everywhere.")


@users.command("code-off")
@click.argument("email")
def code_off(email: str) -> None:
    """Ask an account for no code at login any more, when phone and recovery codes are lost."""
    with _plainly():
        user = accounts.user_by_email(email)
        second_factor.remove(user)
    click.echo(f"{user.email} no longer needs a code to log in.")


@users.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Disable an account: no login, session or API token works."""
    with _plainly():
        user = accounts.disable_user(email)
    click.echo(f"Disabled {user.email}: its logins, sessions and API tokens no longer work.")


@users.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Enable a disabled account again."""
    with _plainly():
        user = accounts.enable_user(email)
    click.echo(f"Enabled {user.email}: it can log in, and its unrevoked API tokens work again.")


@users.command("token")
@click.argument("email")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(rights.SCOPES),
    help="What the token may do, once for each scope; by default all that the account's role allows.",
)
@click.option("--name", default="", help="What the token is for, as the page People shows it.")
def token(email: str, scopes: tuple[str, ...], name: str) -> None:
    """Create an API token.

    The token is shown only once, alone on the last line of the output.
    """
    with _plainly():
        record, made = tokens.issue_token(email, scopes or None, name)
    click.echo(f"Created API token {record.id} ({record.scopes}). It is shown only once:")
    click.echo(made)


@users.command("tokens")
@click.argument("email")
def list_tokens(email: str) -> None:
    """List an account's API tokens.

    Each line shows the ID, the scopes, when it was created and last used, its state and its name.
    """
    with _plainly():
        found = tokens.tokens_of(accounts.user_by_email(email))
    for record in found:
        used = f"{record.last_used_at:%Y-%m-%d %H:%M} UTC" if record.last_used_at else "never"
        state = "revoked" if record.revoked_at else "active" if record.user.is_active else "account disabled"
        click.echo(
            f"{record.id}  {record.scopes}  created {record.created_at:%Y-%m-%d}  last used {used}  {state}"
            + (f"  {record.name}" if record.name else "")
        )
    if not found:
        click.echo("No API tokens.")


@users.command("revoke")
@click.argument("email")
@click.argument("token_id", required=False)
def revoke(email: str, token_id: str | None) -> None:
    """Revoke one API token of an account, or all of them."""
    with _plainly():
        ended = tokens.revoke_tokens(email, token_id)
    click.echo(f"Revoked {ended} API token{'' if ended == 1 else 's'}.")


@users.command("first")
def first() -> None:
    """Create the first admin account if there are no accounts yet.

    Uses ACR3D_ADMIN_EMAIL and ACR3D_ADMIN_PASSWORD. Without a password, a one-time password is printed.
    """
    config = settings.current()
    if accounts.has_users():
        click.echo("An account already exists. Nothing was changed.")
        return
    email = config.admin_email or DEFAULT_ADMIN
    with _plainly():
        made = accounts.first_admin(email, config.admin_password)
    click.echo(f"Created admin account: {email}")
    _show_password(made)


def _show_password(made: str | None) -> None:
    if made is not None:
        limits = "shown only once, to be changed at the first login within 72 hours"
        click.echo(f"One-time password ({limits}): {made}")
