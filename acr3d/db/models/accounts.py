"""Users, sessions that they ended, and their API tokens."""

from __future__ import annotations

from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import Id, new_id, utc_now

ROLES = ("admin", "viewer")


class User(UserMixin, Base):  # type: ignore[misc]  # flask-login has no types
    __tablename__ = "users"
    __table_args__ = (one_of("role", ROLES, "users_role"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    # Part of every session's identity: a new value ends all of the user's sessions.
    session_epoch: Mapped[str] = mapped_column(String(36), default=new_id)
    password_expires_at: Mapped[datetime | None]  # of a one-time password
    disabled_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

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
    __table_args__ = (one_of("role", ROLES, "api_tokens_role"), Index("ix_api_tokens_user_id", "user_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")
