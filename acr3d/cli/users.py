"""`flask users …`: accounts and API tokens from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from acr3d import settings
from acr3d.accounts import passwords, tokens
from acr3d.accounts import users as accounts
from acr3d.db.models import ROLES
from acr3d.errors import InvalidInput

DEFAULT_ADMIN = "admin@example.com"

users = AppGroup("users", help="Accounts and API tokens.")
_role = click.Choice(ROLES)


@contextmanager
def _plainly() -> Iterator[None]:
    """A refusal is one sentence on stderr and exit code 1, not a traceback."""
    try:
        yield
    except InvalidInput as refusal:
        raise click.ClickException(str(refusal)) from refusal


@users.command("create")
@click.argument("email")
@click.option("--password", help="Left out, a one-time password is made and printed.")
@click.option("--role", type=_role, default="viewer", show_default=True)
def create(email: str, password: str | None, role: str) -> None:
    """Make an account. A viewer looks at everything and changes nothing."""
    made = None if password is not None else passwords.made()
    with _plainly():
        user = accounts.create_user(email, made or password or "", role, one_time=made is not None)
    click.echo(f"Account made: {user.email} ({user.role}).")
    _show_password(made)


@users.command("password")
@click.argument("email")
@click.option("--password", help="Left out, a one-time password is made and printed.")
def password(email: str, password: str | None) -> None:
    """Give an account a new password; all of its sessions end."""
    made = None if password is not None else passwords.made()
    with _plainly():
        user = accounts.reset_password(email, made or password or "", one_time=made is not None)
    click.echo(f"New password set for {user.email}; all of its sessions have ended.")
    _show_password(made)


@users.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """End an account's sessions and tokens, and let it in no more."""
    with _plainly():
        user = accounts.disable_user(email)
    click.echo(f"{user.email} is disabled: no login, session or API token of it works.")


@users.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled account in again."""
    with _plainly():
        user = accounts.enable_user(email)
    click.echo(f"{user.email} may log in again; its API tokens that were not revoked work again.")


@users.command("token")
@click.argument("email")
@click.option("--role", type=_role, help="Default: the account's own role.")
def token(email: str, role: str | None) -> None:
    """Make an API token. It is printed once, alone on the last line."""
    with _plainly():
        record, made = tokens.issue_token(email, role)
    click.echo(f"API token {record.id} ({record.role}); it is shown only now:")
    click.echo(made)


@users.command("tokens")
@click.argument("email")
def list_tokens(email: str) -> None:
    """List an account's API tokens: id, role, made, last used, state."""
    with _plainly():
        found = tokens.tokens_of(accounts.user_by_email(email))
    for record in found:
        used = f"{record.last_used_at:%Y-%m-%d %H:%M} UTC" if record.last_used_at else "never"
        state = "revoked" if record.revoked_at else "works" if record.user.is_active else "account disabled"
        click.echo(f"{record.id}  {record.role}  made {record.created_at:%Y-%m-%d}  used {used}  {state}")
    if not found:
        click.echo("There are none.")


@users.command("revoke")
@click.argument("email")
@click.argument("token_id", required=False)
def revoke(email: str, token_id: str | None) -> None:
    """End an account's API token with this id, or all of its tokens."""
    with _plainly():
        ended = tokens.revoke_tokens(email, token_id)
    click.echo(f"{ended} API token{'' if ended == 1 else 's'} revoked.")


@users.command("first")
def first() -> None:
    """Make the first admin when there is no account yet (ACR3D_ADMIN_EMAIL, ACR3D_ADMIN_PASSWORD)."""
    config = settings.current()
    if accounts.has_users():
        click.echo("There is an account already; nothing was changed.")
        return
    email = config.admin_email or DEFAULT_ADMIN
    with _plainly():
        made = accounts.first_admin(email, config.admin_password)
    click.echo(f"Admin account made: {email}")
    _show_password(made)


def _show_password(made: str | None) -> None:
    if made is not None:
        click.echo(f"One-time password, shown only now, to be changed at the first login: {made}")
