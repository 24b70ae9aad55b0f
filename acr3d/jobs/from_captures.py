"""Ordering a model from spin captures instead of photos. It costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d.captures.captures import locked, missing
from acr3d.captures.installed import check_installed
from acr3d.captures.report import understood
from acr3d.db.models import Capture, Job, User
from acr3d.db.session import transaction
from acr3d.db.states import CaptureState
from acr3d.engines.registry import engines
from acr3d.errors import Conflict, InvalidInput
from acr3d.jobs import service
from acr3d.messages.message import Message
from acr3d.notify import wake


def start(
    part_id: str, capture_ids: Sequence[str], engine: str | None, config: dict[str, Any], actor: User
) -> Job:
    """A new job that makes a model of the part from spin captures, one of each position, the first needed.

    Raises Missing, InvalidInput, or Conflict, also where spin capture is not installed.
    """
    check_installed()
    able = [one for one in engines().available() if one.capabilities.captures >= max(1, len(capture_ids))]
    provider = next((one for one in able if engine in (None, one.name)), None)
    if provider is None:
        raise InvalidInput(_("No engine that is set up here makes models of these captures."))
    service.check_config(provider, config)
    with service.one_live_job(), transaction() as session:
        part = service.free_part(session, part_id)
        chosen = _ready_captures(session, part_id, capture_ids)
        inputs: dict[str, Any] = {"capture_ids": [one.id for one in chosen]}
        job = service.new_job(session, provider, part, config, actor, inputs)
        frames = sum(understood(one.report).frames_kept for one in chosen)
        service.enter(session, job, part, actor, Message("job.requested_spin", n=frames))
    wake()
    return job


def _ready_captures(session: Session, part_id: str, capture_ids: Sequence[str]) -> list[Capture]:
    """These captures by position, locked against deletion."""
    found = [locked(session, capture_id) for capture_id in sorted(set(capture_ids))]
    if any(one.part_id != part_id for one in found):
        raise missing()
    if any(one.state != CaptureState.READY for one in found):
        raise Conflict(_("The capture is not ready. Wait until it is read, or film the part again."))
    positions = sorted(one.position for one in found)
    if positions not in ([1], [1, 2]):
        raise InvalidInput(_("Choose one capture of the part as it lies, and at most one on another side."))
    return sorted(found, key=lambda one: one.position)
