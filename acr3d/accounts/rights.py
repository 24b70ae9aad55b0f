"""What each role may do, and which of it a token's scopes leave to the token.

Which right an address needs is said in `web.route_rights`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from flask_babel import gettext as _

from acr3d.errors import InvalidInput


class Right(StrEnum):
    """What somebody may do."""

    READ = "read"  # see everything but people and the log
    EDIT = "edit"  # parts, photos, categories, imports; publish and reject models
    GENERATE = "generate"  # order models, which may cost credits
    MANAGE = "manage"  # people, settings, the log, the engine's tasks


READ, WRITE, GENERATE = SCOPES = ("read", "write", "generate")
_OF_ROLE = {
    "viewer": frozenset({Right.READ}),
    "editor": frozenset({Right.READ, Right.EDIT, Right.GENERATE}),
    "admin": frozenset(Right),
}
_OF_SCOPE = {
    READ: frozenset({Right.READ}),
    WRITE: frozenset({Right.EDIT}),
    GENERATE: frozenset({Right.GENERATE, Right.MANAGE}),
}


def of_role(role: str) -> frozenset[Right]:
    """The rights of an account."""
    return _OF_ROLE[role]


def of_token(scopes: str, role: str) -> frozenset[Right]:
    """The rights of a token with these scopes, whose user has this role now."""
    return of_role(role) & frozenset().union(*(_OF_SCOPE[scope] for scope in scopes.split()))


def scope_for(right: Right) -> str:
    """The scope that gives a token this right."""
    return next(scope for scope, rights in _OF_SCOPE.items() if right in rights)


def scopes_of_role(role: str) -> list[str]:
    """The scopes that a token of such an account can have."""
    return [scope for scope in SCOPES if _OF_SCOPE[scope] & of_role(role)]


def joined_scopes(chosen: Iterable[str], role: str) -> str:
    """The scopes as they are stored. Raises InvalidInput for none, an unknown one, or one beyond the role."""
    wanted = set(chosen)
    if not wanted or not wanted <= set(SCOPES):
        raise InvalidInput(
            _("A token needs at least one of the scopes %(scopes)s.", scopes=", ".join(SCOPES))
        )
    if beyond := wanted - set(scopes_of_role(role)):
        raise InvalidInput(
            _("The account's role does not allow these scopes: %(scopes)s.", scopes=", ".join(sorted(beyond)))
        )
    return " ".join(scope for scope in SCOPES if scope in wanted)
