"""The notices that somebody may hear of, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from acr3d.accounts import rights
from acr3d.accounts.rights import Right
from acr3d.db.extensions import db
from acr3d.db.models import NOTICE_KINDS, Job, Notice, User
from acr3d.db.session import transaction
from acr3d.engines.registry import engines
from acr3d.messages.wording import worded

_FOR_ADMINS = ("balance", "budget", "poller")


@dataclass(frozen=True)
class Told:
    """A notice and its job, with its part; None where it is about no job."""

    notice: Notice
    job: Job | None

    @property
    def sentence(self) -> str:
        """In the reader's language."""
        return _sentence(self.notice, self.job)


def kinds_for(user: User) -> list[str]:
    """The kinds that the user's role lets them hear of."""
    is_admin = Right.MANAGE in rights.of_role(user.role)
    return [kind for kind in NOTICE_KINDS if is_admin or kind not in _FOR_ADMINS]


def after(notice_id: int, kinds: Collection[str], most: int, up_to: int | None = None) -> list[Told]:
    """The notices of these kinds that are newer than the one with this id, newest first; none newer than
    `up_to`."""
    query = select(Notice).where(Notice.id > notice_id, Notice.kind.in_(kinds))
    if up_to is not None:
        query = query.where(Notice.id <= up_to)
    found = list(db.session.scalars(query.order_by(Notice.id.desc()).limit(most)))
    ids = [one.job_id for one in found if one.job_id]
    rows = db.session.scalars(select(Job).where(Job.id.in_(ids)).options(joinedload(Job.part)))
    jobs = {job.id: job for job in rows}
    return [Told(one, jobs.get(one.job_id or "")) for one in found]


def unseen(user: User, most: int) -> list[Told]:
    """What the user chose to see in the app and has not marked as seen."""
    return after(user.notices_seen, chosen(user.app_notices, user), most)


def chosen(words: str, user: User) -> list[str]:
    """The kinds that the user chose, within their role."""
    return [kind for kind in kinds_for(user) if kind in words.split()]


def newest_id() -> int:
    return db.session.scalar(select(func.max(Notice.id))) or 0


def mark_seen(user: User, up_to: int) -> None:
    """Everything up to this notice, which the user had before them, is seen."""
    with transaction():
        user.notices_seen = max(user.notices_seen, min(up_to, newest_id()))


def choose_in_app(user: User, kinds: Sequence[str]) -> None:
    """Show these kinds on the overview."""
    with transaction():
        user.app_notices = " ".join(kinds)


def _sentence(notice: Notice, job: Job | None) -> str:
    if notice.kind == "poller":
        return str(_("The job service has stopped, so jobs are waiting. Restart it."))
    if notice.kind == "budget":
        return str(_("This month's budget of %(n)s credits is used up.", n=notice.number))
    if notice.kind == "balance":
        provider = engines().provider(notice.label)
        name = worded(provider.wording.name) if provider else notice.label
        return str(_("The %(engine)s account has only %(n)s credits left.", engine=name, n=notice.number))
    part = f"{job.part.name} ({job.part.sku})" if job else ""
    if notice.kind == "review":
        return str(_("A model of %(part)s waits for review.", part=part))
    reason = worded(job.error) if job else ""
    return str(_("The model of %(part)s failed. %(reason)s", part=part, reason=reason)).strip()
