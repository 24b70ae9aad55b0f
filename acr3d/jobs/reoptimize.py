"""Optimizing a stored raw model again: at another level, or turned. It costs nothing."""

from __future__ import annotations

import re

from flask_babel import gettext as _

from acr3d.db.models import MODEL_LEVELS, Job, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import new_id
from acr3d.errors import Conflict, InvalidInput
from acr3d.jobs import queries, transitions
from acr3d.jobs.service import INPUTS, already_running, one_live_job
from acr3d.messages.message import Message
from acr3d.notify import wake

# As `python -m acr3d.optimize --turn` takes it.
_TURN = re.compile(r"([xyz](90|180|270)(,[xyz](90|180|270)){0,23})?")
_COPIED = (
    *("part_id", *INPUTS),
    *("engine", "engine_base", "account", "generation_report"),
    *("raw_model_url", "raw_storage_path", "raw_file_size_bytes"),
)


def optimize_again(job_id: str, level: str, turn: str | None, actor: User) -> Job:
    """A new job that begins with optimizing the raw model of `job_id`; its version is a draft.

    `turn` is applied to the raw model, such as x90; empty for none, None for that of the earlier job.
    Raises Missing, InvalidInput for an unknown level or turn, Conflict without a raw model or while a job
    runs.
    """
    if level not in MODEL_LEVELS:
        raise InvalidInput(_("The level must be one of: %(all)s.", all=", ".join(MODEL_LEVELS)))
    if turn is not None and not _TURN.fullmatch(turn):
        raise InvalidInput(
            _("“%(turn)s” is no turn; say x90, y180, z270 or several: x90,y180.", turn=turn[:40])
        )
    with one_live_job(), transaction() as session:
        source, part = queries.locked_job(session, job_id)
        if part.deleted_at is not None:
            raise Conflict(_("The part has been deleted; its models cannot be optimized again."))
        if not source.raw_storage_path:
            raise Conflict(_("There is no raw model of this job to optimize again."))
        if queries.live_job(session, part.id):
            raise already_running()
        config = source.generation_config | {"level": level} | ({} if turn is None else {"turn": turn})
        job = Job(
            id=new_id(),
            created_by=actor.id,
            status=Status.OPTIMIZING,
            optimized_from=source.optimized_from or source.id,
            generation_config=config,
            **{name: getattr(source, name) for name in _COPIED},
        )
        session.add(job)
        session.flush()
        transitions.log_event(session, job, actor.email, Message("job.reoptimized"))
        transitions.sync_part(session, job, part)
    wake()
    return job
