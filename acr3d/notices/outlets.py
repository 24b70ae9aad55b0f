"""Sends new notices by mail to who chose that, and to the webhook. A storm becomes one digest.

Each outlet remembers up to which notice it was told. What is new waits a minute for more, and after each
sending the outlet rests; what came meanwhile goes out together. A sending that fails is tried again, later
each time, and loses nothing. A row that is taken says until when, so two processes never send the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from flask_babel import force_locale
from sqlalchemy import func, select, update

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import Notice, NoticeOutlet, User
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.notices import digest, listing, mail, webhook
from acr3d.notices.channel import SendingFailed
from acr3d.notices.listing import Told
from acr3d.shop import options

WEBHOOK = "webhook"
GATHERED = timedelta(minutes=1)
RESTS = timedelta(minutes=10)
_COMMITTED_WITHIN = timedelta(seconds=30)
_TAKEN_FOR = timedelta(minutes=3)
_LONGEST_WAIT = timedelta(hours=1)
MOST = 500
log = logging.getLogger("acr3d.notices")


def choose_mail(user: User, kinds: Sequence[str]) -> None:
    """Send these kinds by mail from now on; what is there already is not sent."""
    with transaction() as session:
        user.mailed_notices = " ".join(kinds)
        if kinds and session.get(NoticeOutlet, user.id) is None:
            session.add(NoticeOutlet(name=user.id, sent_id=listing.newest_id()))


def deliver() -> None:
    """Send what is due, outlet by outlet."""
    config = settings.current()
    if config.notice_webhook:
        _ensure_webhook()
    names = list(db.session.scalars(select(NoticeOutlet.name).where(NoticeOutlet.next_at <= utc_now())))
    end_read()
    for name in names:
        if name == WEBHOOK and config.notice_webhook:
            _deliver(name, None)
        elif name != WEBHOOK and config.smtp:
            user = db.session.get(User, name)
            if user is not None and user.is_active:
                _deliver(name, user)


def problem_of(name: str) -> str:
    """Why the outlet's last sending failed; empty if it did not."""
    outlet = db.session.get(NoticeOutlet, name)
    return outlet.problem if outlet else ""


def _deliver(name: str, user: User | None) -> None:
    outlet = db.session.get(NoticeOutlet, name, populate_existing=True)
    if outlet is None or not _is_due(outlet.sent_id) or not _take(name):
        return
    last = _newest_settled_id()
    kinds = listing.chosen(user.mailed_notices, user) if user else options.webhook_notices()
    told = listing.after(outlet.sent_id, kinds, MOST, up_to=last)
    try:
        if told:
            _send(told, user)
    except SendingFailed as problem:
        log.warning("notices.failed outlet=%s why=%s", "webhook" if user is None else user.email, problem)
        wait = min(timedelta(minutes=2 ** min(outlet.failures, 10)), _LONGEST_WAIT)
        _note(name, next_at=utc_now() + wait, failures=outlet.failures + 1, problem=str(problem))
    else:
        rest = RESTS if told else timedelta()
        _note(name, sent_id=last, next_at=utc_now() + rest, failures=0, problem="")


def _send(told: list[Told], user: User | None) -> None:
    if user is None:
        content = webhook.payload(told)
        end_read()
        webhook.send(content)
        return
    with force_locale(user.language or "en"):
        subject, body = digest.written(told)
    address = user.email
    end_read()
    mail.send(address, subject, body)


def _is_due(sent_id: int) -> bool:
    """Whether the oldest notice that was not sent has waited for others."""
    oldest = db.session.scalar(select(func.min(Notice.at)).where(Notice.id > sent_id))
    return oldest is not None and oldest <= utc_now() - GATHERED


def _newest_settled_id() -> int:
    """The newest notice below which none is still to come: ids are given before the commit."""
    is_settled = Notice.at <= utc_now() - _COMMITTED_WITHIN
    return db.session.scalar(select(func.max(Notice.id)).where(is_settled)) or 0


def _take(name: str) -> bool:
    """Keep other processes away for a while; False if one was first."""
    now = utc_now()
    with transaction() as session:
        free = update(NoticeOutlet).where(NoticeOutlet.name == name, NoticeOutlet.next_at <= now)
        taken = session.execute(free.values(next_at=now + _TAKEN_FOR))
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def _note(name: str, **values: object) -> None:
    with transaction() as session:
        session.execute(update(NoticeOutlet).where(NoticeOutlet.name == name).values(**values))


def _ensure_webhook() -> None:
    if db.session.get(NoticeOutlet, WEBHOOK) is None:
        with transaction() as session:
            session.merge(NoticeOutlet(name=WEBHOOK, sent_id=listing.newest_id()))
