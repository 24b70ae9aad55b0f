"""What people ask of jobs: start, cancel, retry, choose a version. Called by pages, API and CLI alike.

A request only writes rows; the poller does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.catalogue import images_of, locked_part
from acr3d.columns import new_id, utc_now
from acr3d.database import writing
from acr3d.errors import Conflict, Refused
from acr3d.generation import lookups, record
from acr3d.generation.engines import engines, estimate, options_for
from acr3d.generation.settle import JOB_DEADLINE
from acr3d.generation.states import LIVE, Status, VersionState
from acr3d.models import ANGLES, Job, ModelVersion, PartImage, User

FEWEST, MOST = 2, 4
_SENDING_ORDER = ("front", "right", "back", "left", "top", "bottom")
_CONFIG: dict[str, Callable[[Any], bool]] = {
    "target_polycount": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "enable_pbr": lambda value: isinstance(value, bool),
    "texture_prompt": lambda value: isinstance(value, str),
    "image_enhancement": lambda value: isinstance(value, bool),
    "level": lambda value: value == "web",
}


def start(
    part_id: str, selected: Mapping[str, str], engine: str | None, config: dict[str, Any], actor: User
) -> Job:
    """A new job that makes a model of the part from `selected` photos, {angle: image id}.

    Raises Missing, Refused for a choice that cannot be, Conflict while another job of the part runs.
    """
    link = engines().link(engine or settings.current().engines[0])
    if link is None:
        raise Refused(_("The engine “%(name)s” is not set up here.", name=engine))
    _check_config(config)
    with _one_live_job(), writing() as session:
        part = locked_part(session, part_id)
        if lookups.live_job(session, part_id):
            raise _running()
        images = _chosen(selected, {image.id: image for image in images_of(part_id, session)})
        job = Job(
            id=new_id(),
            part_id=part_id,
            created_by=actor.id,
            status=Status.PENDING,
            selected_image_ids=[image.id for _angle, image in images],
            selected_image_urls=[image.image_url for _angle, image in images],
            selected_image_metadata=[_frozen(angle, image) for angle, image in images],
            generation_config=config,
            engine=link.name,
            engine_base=link.base,
            account=link.account,
            estimated_credits=estimate(link.name),
        )
        session.add(job)
        _remember_choice(session, part_id, job.selected_image_ids)
        session.flush()
        record.note(session, job, actor.email, _("Asked for with %(n)s photos.", n=len(images)))
        record.mirror(session, job, part)
    wake()
    return job


def cancel(job_id: str, actor: User) -> Job:
    """End a live job now; the poller then takes its task back from the engine. Raises Missing or Conflict."""
    with writing() as session:
        job, part = lookups.locked_job(session, job_id)
        if job.status not in LIVE:
            raise Conflict(_("This job has already ended; there is nothing to cancel."))
        may_have_task = bool(lookups.attempts_of(job.id, session))
        job.needs_cleanup = may_have_task and job.status != Status.OPTIMIZING
        job.has_result = False
        record.move(session, job, part, Status.CANCELED, actor.email, _("Canceled by a person."))
    wake()
    return job


def retry(job_id: str, actor: User) -> Job:
    """Take a failed job up again from what is kept: the raw file, the finished task, or its photos.

    Raises Missing or Conflict.
    """
    with _one_live_job(), writing() as session:
        job, part = lookups.locked_job(session, job_id)
        if job.status != Status.FAILED:
            raise Conflict(_("Only a failed job can be tried again; this one has not failed."))
        if part.deleted_at is not None:
            raise Conflict(_("The part has been deleted; its jobs cannot be tried again."))
        job.error_message = job.completed_at = job.deadline_at = None
        to, detail = _resume_point(job)
        if to is Status.PROCESSING:
            job.deadline_at = utc_now() + JOB_DEADLINE
        record.move(session, job, part, to, actor.email, detail)
        session.flush()
    wake()
    return job


def retry_pays(job: Job) -> bool:
    """Whether trying the failed `job` again orders, and pays for, a new task."""
    return _resume_point(job)[0] is Status.PENDING and job.engine != "builtin"


def publish(version_id: str, actor: User) -> ModelVersion:
    """Show this model to customers; also the way back to an earlier one. Raises Missing or Conflict."""
    job_id = lookups.version_by_id(version_id).job_id
    with writing() as session:
        job, part = lookups.locked_job(session, job_id)
        version = lookups.version_by_id(version_id)
        if version.state == VersionState.REJECTED:
            raise Conflict(_("This model was rejected; it cannot be published."))
        record.publish(session, version, part, actor.id)
        record.note(
            session, job, actor.email, _("Model %(n)s published.", n=version.number), Status(job.status)
        )
        record.mirror(session, job, part)
    return version


def reject(version_id: str, actor: User) -> ModelVersion:
    """Put a model that was never published aside for good. Raises Missing or Conflict."""
    job_id = lookups.version_by_id(version_id).job_id
    with writing() as session:
        job, part = lookups.locked_job(session, job_id)
        version = lookups.version_by_id(version_id)
        if version.state != VersionState.DRAFT:
            raise Conflict(_("Only a model that was never published can be rejected."))
        version.state = VersionState.REJECTED
        part.revision += 1
        record.note(
            session, job, actor.email, _("Model %(n)s rejected.", n=version.number), Status(job.status)
        )
    return version


def wake() -> None:
    """Tell the poller of this process, if it has one, that there is new work."""
    poller = current_app.extensions.get("acr3d_poller")
    if poller is not None:
        poller.wake()


class _one_live_job:  # noqa: N801 - used like a function
    """Turns the database's refusal of a second live job into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IntegrityError):
            raise _running() from error


def _running() -> Conflict:
    return Conflict(_("A model of this part is already being made. Wait for it, or cancel it first."))


def _check_config(config: dict[str, Any]) -> None:
    for name, value in config.items():
        if name not in _CONFIG:
            raise Refused(_("Unknown setting: %(name)s.", name=name))
        if not _CONFIG[name](value):
            raise Refused(_("The setting “%(name)s” has a value that cannot be used.", name=name))
    try:
        options_for(config)
    except ValueError as error:
        raise Refused(str(error)) from error


def _chosen(selected: Mapping[str, str], present: dict[str, PartImage]) -> list[tuple[str, PartImage]]:
    """The chosen photos in the order they are sent: the front first, or else the one shown first."""
    unknown = sorted(set(selected) - set(ANGLES))
    if unknown:
        raise Refused(
            _("“%(name)s” is no angle; it must be one of: %(all)s.", name=unknown[0], all=", ".join(ANGLES))
        )
    if not FEWEST <= len(selected) <= MOST:
        raise Refused(_("Choose two to four photos; %(n)s are chosen.", n=len(selected)))
    if len(set(selected.values())) < len(selected):
        raise Refused(_("The same photo is chosen for two angles. Choose a different one for each."))
    if not set(selected.values()) <= set(present):
        raise Refused(_("A chosen photo is not among this part's photos. Reload the page and choose again."))
    pairs = [(angle, present[selected[angle]]) for angle in _SENDING_ORDER if angle in selected]
    if any(image.storage_path is None for _angle, image in pairs):
        raise Refused(_("A chosen photo is not imported yet. Upload it, or run “flask photos fetch”."))
    if "front" not in selected:
        first = min(pairs, key=lambda pair: pair[1].display_order)
        pairs.remove(first)
        pairs.insert(0, first)
    return pairs


def _frozen(angle: str, image: PartImage) -> dict[str, Any]:
    return {"id": image.id, "url": image.image_url, "angle": angle, "storage_path": image.storage_path}


def _remember_choice(session: Session, part_id: str, chosen: list[str]) -> None:
    session.execute(
        update(PartImage)
        .where(PartImage.part_id == part_id)
        .values(is_selected_for_3d_generation=PartImage.id.in_(chosen), updated_at=utc_now())
        .execution_options(synchronize_session="fetch")
    )


def _resume_point(job: Job) -> tuple[Status, str]:
    if job.raw_storage_path:
        return Status.OPTIMIZING, _("Taken up again from the kept raw file; this costs nothing.")
    if job.meshy_task_id:
        return Status.PROCESSING, _("Taken up again from the engine's task; this costs nothing.")
    return Status.PENDING, _("Started again from its photos.")
