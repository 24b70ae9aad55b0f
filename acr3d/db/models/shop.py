"""What admins decide for the whole shop on the page Settings."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base
from acr3d.db.models.content import ONLY_ROW
from acr3d.db.models.notices import NOTICE_KINDS

_ALL = " ".join(NOTICE_KINDS)


class ShopOptions(Base):
    """One row at most. Null: as the environment says (`acr3d.settings`, whose names these are)."""

    __tablename__ = "shop_options"
    __table_args__ = (CheckConstraint(f"id = {ONLY_ROW}", name="shop_options_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY_ROW)
    offers_downloads: Mapped[bool] = mapped_column(default=False)
    # The kinds of notices that the webhook gets, between blanks.
    webhook_notices: Mapped[str] = mapped_column(String(80), default=_ALL, server_default=_ALL)
    name: Mapped[str | None] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(40))
    whatsapp: Mapped[str | None] = mapped_column(String(20))
    accent: Mapped[str | None] = mapped_column(String(7))
    logo_file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    logo_type: Mapped[str | None] = mapped_column(String(20))
    logo_sha256: Mapped[str | None] = mapped_column(String(64))
    currency: Mapped[str | None] = mapped_column(String(3))
    units: Mapped[str | None] = mapped_column(String(2))
    languages: Mapped[str | None] = mapped_column(String(40))
    photo_background: Mapped[str | None] = mapped_column(String(8))
    review_before_publish: Mapped[bool | None]
    admins_need_code: Mapped[bool | None]
    ask_agreement: Mapped[int | None]
    monthly_budget: Mapped[int | None]
    user_monthly_limit: Mapped[int | None]
    low_balance: Mapped[int | None]
