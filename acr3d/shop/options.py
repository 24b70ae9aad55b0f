"""What admins chose for the whole shop, in place of the environment. It holds within seconds, everywhere.

Public answers are made from the choices of their content's stamp (`db.content_stamp`), so none is old.
Everything else is at most some seconds behind, and asks the database less.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from flask import current_app, g, has_request_context
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import NOTICE_KINDS, ShopOptions
from acr3d.db.models.content import ONLY_ROW
from acr3d.settings import Settings, Shop

_OF_SHOP = frozenset(one.name for one in fields(Shop))
_OF_SETTINGS = frozenset(one.name for one in fields(Settings))
_COLUMNS = tuple(column.name for column in ShopOptions.__table__.columns)
NAMES = tuple(name for name in _COLUMNS if name in _OF_SHOP | _OF_SETTINGS)
"""The columns that stand in place of a setting; null leaves it to the environment."""
_KEPT = "acr3d_shop_options"
_AWAY_UNTIL = "acr3d_shop_options_away"
_KEPT_SECONDS = 3.0  # staff pages and pollers of other processes see a change after so long


def current() -> Settings:
    """The settings with what admins chose. Raises SQLAlchemyError while the database is away."""
    return _with(settings.current(), _stored())


def last_known() -> Settings:
    """The same for pages: with the last choices that were read while the database is away.

    After a failure it is left alone for a moment, or an error page would wait for it again and again.
    """
    if time.monotonic() >= current_app.extensions.get(_AWAY_UNTIL, 0.0):
        try:
            return current()
        except SQLAlchemyError:
            current_app.extensions[_AWAY_UNTIL] = time.monotonic() + _KEPT_SECONDS
    return _with(settings.current(), _kept()[1])


def forget() -> None:
    """Let this process see at once what it has just saved."""
    current_app.extensions.pop(_KEPT, None)


def offers_downloads() -> bool:
    """Whether customers may download models and photos."""
    return bool(_stored().get("offers_downloads"))


def webhook_notices() -> list[str]:
    """The kinds of notices that the webhook gets."""
    stored = _stored()
    return list(NOTICE_KINDS) if not stored else str(stored["webhook_notices"]).split()


def _stored() -> dict[str, Any]:
    if has_request_context() and "stamp" in g and g.stamp.value:
        return _of_stamp(g.stamp.value)
    until, row = _kept()
    if time.monotonic() >= until:
        row = _read()
        current_app.extensions[_KEPT] = time.monotonic() + _KEPT_SECONDS, row
    return row


def _kept() -> tuple[float, dict[str, Any]]:
    """Until when what was read last may be used, by the monotonic clock, and that."""
    kept: tuple[float, dict[str, Any]] = current_app.extensions.get(_KEPT, (0.0, {}))
    return kept


@lru_cache(maxsize=4)
def _of_stamp(_stamp: str) -> dict[str, Any]:
    return _read()


def _read() -> dict[str, Any]:
    own = [ShopOptions.offers_downloads, ShopOptions.webhook_notices]
    columns = [*own, *(getattr(ShopOptions, name) for name in NAMES)]
    row = db.session.execute(select(*columns).where(ShopOptions.id == ONLY_ROW)).mappings().one_or_none()
    return dict(row or {})


def _with(config: Settings, stored: dict[str, Any]) -> Settings:
    chosen = {name: stored[name] for name in NAMES if stored.get(name) is not None}
    shop = {name: value for name, value in chosen.items() if name in _OF_SHOP}
    others = {name: value for name, value in chosen.items() if name in _OF_SETTINGS}
    return replace(config, shop=replace(config.shop, **shop), **others)
