"""Users, sessions that they ended, and their API tokens."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from acr3d.db.models.base import Base, one_of
from acr3d.db.models.notices import NOTICE_KINDS
from acr3d.db.types import Id, new_id, utc_now

ROLES = ("viewer", "editor", "admin")  # each may do what the one before it may, and more

_ALL = " ".join(NOTICE_KINDS)


class User(UserMixin, Base):  # type: ignore[misc]  # flask-login has no types
    __tablename__ = "users"
    __table_args__ = (
        one_of("role", ROLES, "users_role"),
        Index("ix_users_link_sha256", "link_sha256", unique=True),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    # Part of every session's identity: a new value ends all of the user's sessions.
    session_epoch: Mapped[str] = mapped_column(String(36), default=new_id)
    password_expires_at: Mapped[datetime | None]  # of a one-time password
    link_sha256: Mapped[str | None] = mapped_column(String(64))  # of `accounts.links`
    link_expires_at: Mapped[datetime | None]
    # The second factor (`accounts.second_factor`): the app's secret in base32, the last step whose code was
    # taken, and hashes of the recovery codes that are left.
    totp_secret: Mapped[str | None] = mapped_column(String(32))
    totp_step: Mapped[int] = mapped_column(default=0, server_default="0")
    recovery_codes: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    disabled_at: Mapped[datetime | None]
    language: Mapped[str | None] = mapped_column(String(8))  # chosen for staff pages, else the browser's
    # The kinds of notices on the overview and by mail, between blanks; the last one marked as seen.
    app_notices: Mapped[str] = mapped_column(String(80), default=_ALL, server_default=_ALL)
    mailed_notices: Mapped[str] = mapped_column(String(80), default="", server_default="")
    notices_seen: Mapped[int] = mapped_column(default=0, server_default="0")
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    def get_id(self) -> str:
        """The user's id in a session; a new `session_epoch` makes it invalid."""
        return f"{self.id}:{self.session_epoch}"


class EndedSession(Base):
    """A login that was logged out. `id` is in the session's cookie."""

    __tablename__ = "ended_sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiToken(Base):
    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_user_id", "user_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(60), default="", server_default="")  # what it is for
    scopes: Mapped[str] = mapped_column(String(64))  # words of `accounts.rights.SCOPES`, between blanks
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")
