"""What people do with jobs: start, cancel, retry. Called by pages, API and CLI alike.

These functions only write rows; the poller does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.billing import budget, ledger
from acr3d.clean_photos.shown import clean_of
from acr3d.db.models import ANGLES, MODEL_LEVELS, Job, Part, PartImage, User
from acr3d.db.session import transaction
from acr3d.db.states import LIVE, NextStep, Status
from acr3d.db.types import new_id, utc_now
from acr3d.engines.base import Provider
from acr3d.engines.options import InvalidOption
from acr3d.engines.registry import engines
from acr3d.errors import Conflict, InvalidInput
from acr3d.jobs import queries, transitions
from acr3d.jobs.repeat_orders import ask_before_repeating
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.notify import wake
from acr3d.orders import engine_models
from acr3d.orders.attempts import JOB_DEADLINE
from acr3d.parts.parts import locked_part
from acr3d.parts.photos import images_of

FEWEST, MOST = 2, 4
INPUTS = ("selected_image_ids", "selected_image_urls", "selected_image_metadata", "capture_ids")
"""The columns of a job that say what it is made of."""
_SENDING_ORDER = ("front", "right", "back", "left", "top", "bottom")


Also = Callable[[Session, Job], None]
"""What else belongs to the transaction that orders."""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# What is ours to do; the engine's own options are its provider's.
_CONFIG: dict[str, Callable[[Any], bool]] = {
    "level": lambda value: value in MODEL_LEVELS,
    "other_sides": lambda value: isinstance(value, bool),
    "clean_photos": lambda value: isinstance(value, bool),
    "least_agreement": lambda value: _is_whole(value) and 0 <= value <= 100,
}


def start(
    part_id: str,
    selected: Mapping[str, str],
    engine: str | None,
    config: dict[str, Any],
    actor: User,
    *,
    again: bool = False,
    also: Also | None = None,
) -> Job:
    """A new job that makes a model of the part from `selected` photos, {angle: image id}.

    With `other_sides` in its config an engine that takes named views also gets the part's other labelled
    photos. An engine that takes no outlines gets the clean photos that there are, unless `clean_photos` is
    false. `again`: the person agrees to pay for an order that has already given a model. What `also` raises
    undoes the order. Raises Missing,
    InvalidInput for a choice that is not possible, Conflict while another job of the part runs or when the
    budget does not allow it, and AlreadyOrdered.
    """
    provider = engines().provider(engine) if engine else engines().default()
    if provider is None:
        raise InvalidInput(_("The engine “%(name)s” is not set up here.", name=engine))
    check_config(provider, config)
    if config.get("other_sides") and not provider.capabilities.named_views:
        raise InvalidInput(
            _(
                "%(engine)s takes at most four photos. Leave “other_sides” out.",
                engine=worded(provider.wording.subject),
            )
        )
    sends_clean = not provider.capabilities.outlines and config.get("clean_photos", True)
    with one_live_job(), transaction() as session:
        part = free_part(session, part_id)
        present = images_of(part_id, session)
        images = _chosen(selected, {image.id: image for image in present})
        others = _other_sides(images, present) if config.get("other_sides") else []
        inputs = {
            "selected_image_ids": [image.id for _angle, image in images],
            "selected_image_urls": [image.image_url for _angle, image in images],
            "selected_image_metadata": [
                _frozen(angle, image, clean=sends_clean) for angle, image in [*images, *others]
            ],
        }
        job = new_job(session, provider, part, config, actor, inputs)
        if not again:
            ask_before_repeating(session, job)
        requested = Message("job.requested", n=len(images) + len(others))
        enter(session, job, part, actor, requested)
        _remember_choice(session, part_id, job.selected_image_ids)
        if also is not None:
            also(session, job)
    wake()
    return job


def free_part(session: Session, part_id: str) -> Part:
    """The part, locked, of which no model is being made."""
    part = locked_part(session, part_id)
    if queries.live_job(session, part_id):
        raise already_running()
    return part


def new_job(
    session: Session,
    provider: Provider,
    part: Part,
    config: dict[str, Any],
    actor: User,
    inputs: dict[str, Any],
) -> Job:
    """A job for this engine, within the budget; not in the session yet."""
    price = engine_models.price(provider, config, session)
    budget.check(session, provider, actor.id, price)
    nothing: dict[str, Any] = {name: [] for name in INPUTS}
    return Job(
        id=new_id(),
        part_id=part.id,
        created_by=actor.id,
        status=Status.PENDING,
        generation_config=config,
        engine=provider.name,
        engine_base=provider.base,
        account=provider.account,
        estimated_credits=price,
        **(nothing | inputs),
    )


def enter(session: Session, job: Job, part: Part, actor: User, requested: Message) -> None:
    """Write down the job and what it may cost."""
    session.add(job)
    session.flush()
    ledger.reserve(session, job, actor.id)
    session.flush()
    transitions.log_event(session, job, actor.email, requested)
    transitions.sync_part(session, job, part)


def cancel(job_id: str, actor: User) -> Job:
    """End a live job now; the poller then revokes its task. Raises Missing or Conflict."""
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        if job.status not in LIVE:
            raise Conflict(_("This job has already ended; there is nothing to cancel."))
        message = _cancel_message(session, job)
        transitions.transition(session, job, part, Status.CANCELED, actor.email, message)
    wake()
    return job


def retry(job_id: str, actor: User, *, pay: bool = False) -> Job:
    """Resume a failed job from what is there: the raw file, the finished task, or its photos.

    `pay`: the person agrees to pay for a new order, if it takes one. Raises Missing or Conflict.
    """
    with one_live_job(), transaction() as session:
        job, part = queries.locked_job(session, job_id)
        if job.status != Status.FAILED:
            raise Conflict(_("Only a failed job can be tried again; this one has not failed."))
        if part.deleted_at is not None:
            raise Conflict(_("The part has been deleted; its jobs cannot be tried again."))
        if job.input_refused and job.capture_ids:
            raise Conflict(
                _(
                    "The engine would refuse this capture again. Film the part again, then generate from "
                    "the new capture."
                )
            )
        if job.input_refused:
            raise Conflict(_("The engine would refuse these photos again. Change them and press Generate."))
        _pin_here(job)
        to, message = _resume_point(job)
        if to is Status.PENDING and not (job.selected_image_metadata or job.capture_ids):
            raise Conflict(_("The task that this job was made from is gone. Generate the model from photos."))
        if to is Status.PENDING:
            _order_again(session, job, actor, pay)
        job.error = job.completed_at = job.deadline_at = None
        if to is Status.PROCESSING:
            job.deadline_at = utc_now() + JOB_DEADLINE
        transitions.transition(session, job, part, to, actor.email, message)
        session.flush()
    wake()
    return job


def retry_pays(job: Job) -> bool:
    """Whether a retry of the failed `job` orders, and pays for, a new task."""
    return _resume_point(job)[0] is Status.PENDING and job.estimated_credits > 0


def _order_again(session: Session, job: Job, actor: User, pay: bool) -> None:
    """Check that a new order is wanted and allowed; it goes to the account that is set up now."""
    if retry_pays(job) and not pay:
        raise Conflict(
            _(
                "Trying again orders a new model, about %(n)s credits. Nothing was ordered; agree to the "
                'price to go on (in the API: {"pay": true}).',
                n=job.estimated_credits,
            )
        )
    provider = engines().provider(job.engine)
    if provider is not None:
        budget.check(session, provider, actor.id, job.estimated_credits)
        job.engine_base, job.account = provider.base, provider.account
    ledger.reserve(session, job, actor.id)


def _cancel_message(session: Session, job: Job) -> Message:
    """What canceling does to the credits, as far as it is known now; the revoke step adds the rest."""
    is_revoked = transitions.next_step(session, job, Status.CANCELED) is NextStep.REVOKE
    if not job.estimated_credits or is_revoked:
        return Message("job.canceled")
    is_paid = queries.attempts_of(job.id, session)
    return Message("job.canceled_paid" if is_paid else "job.canceled_unsent")


class one_live_job:  # noqa: N801 - used like a function
    """Turns the database's refusal of a second live job into a Conflict."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, IntegrityError):
            raise already_running() from error


def already_running() -> Conflict:
    """Why no other job of the part may begin."""
    return Conflict(_("A model of this part is already being made. Wait for it, or cancel it first."))


def check_config(provider: Provider, config: dict[str, Any]) -> None:
    """Raises InvalidInput for a setting that the engine or we do not know, or a value that cannot be used."""
    for name, value in config.items():
        if name in provider.options:
            continue
        if name not in _CONFIG:
            raise InvalidInput(_("Unknown setting: %(name)s.", name=name))
        if not _CONFIG[name](value):
            raise InvalidInput(_("The setting “%(name)s” has a value that cannot be used.", name=name))
    try:
        provider.check_options(config)
    except InvalidOption as error:
        raise InvalidInput(worded(error.message)) from error


def _chosen(selected: Mapping[str, str], present: dict[str, PartImage]) -> list[tuple[str, PartImage]]:
    """The chosen photos in the order they are sent: the front first, or else the one shown first."""
    unknown = sorted(set(selected) - set(ANGLES))
    if unknown:
        raise InvalidInput(
            _("“%(name)s” is no angle; it must be one of: %(all)s.", name=unknown[0], all=", ".join(ANGLES))
        )
    if not FEWEST <= len(selected) <= MOST:
        raise InvalidInput(_("Choose two to four photos; so far: %(n)s.", n=len(selected)))
    if len(set(selected.values())) < len(selected):
        raise InvalidInput(_("The same photo is chosen for two angles. Choose a different one for each."))
    if not set(selected.values()) <= set(present):
        raise InvalidInput(
            _("A chosen photo is not among this part's photos. Reload the page and choose again.")
        )
    pairs = [(angle, present[selected[angle]]) for angle in _SENDING_ORDER if angle in selected]
    if any(image.storage_path is None for _angle, image in pairs):
        raise InvalidInput(_("A chosen photo is not imported yet. Upload it, or run “flask photos fetch”."))
    if "front" not in selected:
        first = min(pairs, key=lambda pair: pair[1].display_order)
        pairs.remove(first)
        pairs.insert(0, first)
    return pairs


def _other_sides(
    chosen: list[tuple[str, PartImage]], present: list[PartImage]
) -> list[tuple[str, PartImage]]:
    """The part's other photos by their labels, the first of each side that is not shown yet."""
    sides, used = {angle for angle, _image in chosen}, {image.id for _angle, image in chosen}
    others: dict[str, PartImage] = {}
    for image in present:
        if (
            image.angle_label
            and image.storage_path
            and image.angle_label not in sides
            and image.id not in used
        ):
            others.setdefault(image.angle_label, image)
    return list(others.items())


def _frozen(angle: str, image: PartImage, *, clean: bool) -> dict[str, Any]:
    """What the job keeps of a photo; `clean_path` is what is sent instead, which stays stored from now on."""
    kept = {"id": image.id, "url": image.image_url, "angle": angle, "storage_path": image.storage_path}
    sent = clean_of(image) if clean else None
    if sent is None:
        return kept
    sent.is_ordered = True
    return kept | {"clean_path": sent.storage_path}


def _remember_choice(session: Session, part_id: str, chosen: list[str]) -> None:
    session.execute(
        update(PartImage)
        .where(PartImage.part_id == part_id)
        .values(is_selected_for_3d_generation=PartImage.id.in_(chosen), updated_at=utc_now())
        .execution_options(synchronize_session="fetch")
    )


def _pin_here(job: Job) -> None:
    """Move a job that failed at another host's local engine to ours: it costs nothing."""
    provider = engines().provider(job.engine)
    if provider is not None and provider.capabilities.local and not provider.owns(job):
        job.engine_base, job.account, job.meshy_task_id = provider.base, provider.account, None


def _resume_point(job: Job) -> tuple[Status, Message]:
    if job.raw_storage_path and not _can_download_again(job):
        return Status.OPTIMIZING, Message("job.resumed_from_raw")
    if job.meshy_task_id:
        return Status.PROCESSING, Message("job.resumed_from_task")
    return Status.PENDING, Message("job.restarted")


def _can_download_again(job: Job) -> bool:
    """Whether the stored raw model was refused and the engine may still have a sound one."""
    is_kept = job.task_expires_at is None or utc_now() < job.task_expires_at
    return job.raw_refused and job.meshy_task_id is not None and is_kept
