"""What people decide about models: publish, reject, confirm the size. Called by pages and API alike."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d.db.models import ModelVersion, User
from acr3d.db.session import transaction
from acr3d.db.states import Status, VersionState
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.foreign import one_line, storable
from acr3d.jobs import publishing, queries, transitions
from acr3d.jobs.true_size import SizeState, true_size
from acr3d.messages.message import Message

REASON_LENGTH = 300


def publish(version_id: str, actor: User) -> ModelVersion:
    """Show this model to customers, be it new or an earlier one. Raises Missing or Conflict."""
    job_id = queries.version_by_id(version_id).job_id
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        version = queries.version_by_id(version_id)
        if version.state == VersionState.REJECTED:
            raise Conflict(_("This model was rejected; it cannot be published."))
        publishing.publish(session, version, part, actor.id)
        transitions.log_event(
            session, job, actor.email, Message("model.published", n=version.number), Status(job.status)
        )
        transitions.sync_part(session, job, part)
    return version


def reject(version_id: str, actor: User, reason: str = "") -> ModelVersion:
    """Reject a model that was never published, for good. Raises Missing or Conflict."""
    reason = one_line(storable(reason).strip(), REASON_LENGTH)
    job_id = queries.version_by_id(version_id).job_id
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        version = queries.version_by_id(version_id)
        if version.state != VersionState.DRAFT:
            raise Conflict(_("Only a model that was never published can be rejected."))
        version.state = VersionState.REJECTED
        part.revision += 1
        said = Message("model.rejected", n=version.number)
        if reason:
            said = Message("model.rejected_because", n=version.number, reason=reason)
        transitions.log_event(session, job, actor.email, said, Status(job.status))
    return version


def confirm_size(version_id: str, actor: User) -> ModelVersion:
    """An admin's word that a model has the part's size although a side differs.

    Raises Missing or Conflict.
    """
    job_id = queries.version_by_id(version_id).job_id
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        version = queries.version_by_id(version_id)
        if true_size(version, part).state is not SizeState.CONTRADICTED:
            raise Conflict(_("The size of this model needs no confirmation; nothing was changed."))
        version.size_confirmed_at, version.size_confirmed_by = utc_now(), actor.id
        part.revision += 1
        message = Message("model.size_confirmed", n=version.number)
        transitions.log_event(session, job, actor.email, message, Status(job.status))
    return version
