"""Which right each address for staff needs; the only place that says so.

Reading needs READ and everything else EDIT, but for the addresses named here.
"""

from __future__ import annotations

from acr3d.accounts.rights import Right

READING = frozenset({"GET", "HEAD", "OPTIONS"})

_READ_BY_ADMINS = ("admin.people", "admin.log")
_READ_BY_EDITORS = ("admin.parts.new",)  # refused before somebody fills it in
_CHANGED_BY_ADMINS = (
    *_READ_BY_ADMINS,
    "admin.notices.test_webhook",
    "admin.notices.choose_for_webhook",
    "admin.engine_settings",
    "admin.shop_settings",
    "admin.unmatched_tasks",
    "api_unmatched_tasks",
)
_ONES_OWN = ("admin.notices",)  # what concerns nobody but the person
_GENERATING = (
    "admin.batches",
    *("admin.jobs.generate", "admin.jobs.retry", "admin.jobs.cancel", "admin.jobs.optimize_again"),
    "admin.captures.generate",
    "api_jobs",
)


def needed(endpoint: str, method: str) -> Right:
    """The right that a request needs. `endpoint`: as Flask names it."""
    if method in READING:
        if _is_among(endpoint, _READ_BY_ADMINS):
            return Right.MANAGE
        return Right.EDIT if _is_among(endpoint, _READ_BY_EDITORS) else Right.READ
    if _is_among(endpoint, _CHANGED_BY_ADMINS):
        return Right.MANAGE
    if _is_among(endpoint, _ONES_OWN):
        return Right.READ
    return Right.GENERATE if _is_among(endpoint, _GENERATING) else Right.EDIT


def _is_among(endpoint: str, names: tuple[str, ...]) -> bool:
    """Whether the endpoint, or a blueprint that it is of, is named."""
    return any(endpoint == name or endpoint.startswith(f"{name}.") for name in names)
