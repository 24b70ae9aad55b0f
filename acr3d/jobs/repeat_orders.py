"""Orders that were paid for before: the same photos, sides, engine and settings have given a model."""

from __future__ import annotations

from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db.models import Job, ModelVersion
from acr3d.errors import Conflict

# What is done with a model afterwards.
_NOT_ORDERED = {"level", "least_agreement", "turn"}


class AlreadyOrdered(Conflict):
    """The same order has given a model before. It may be repeated if a person agrees."""


def ask_before_repeating(session: Session, job: Job) -> None:
    """Raise AlreadyOrdered if the part has a model of an order equal to that of `job`, which costs credits.

    What is ours to do with a model (its level, how well it must match) does not make an order another one:
    a model that is there can be optimized again free of charge.
    """
    if job.estimated_credits <= 0:
        return
    models = select(Job, ModelVersion.number).join(ModelVersion, ModelVersion.job_id == Job.id)
    paid = models.where(Job.part_id == job.part_id, Job.engine == job.engine, Job.estimated_credits > 0)
    for earlier, number in session.execute(paid.order_by(Job.created_at.desc(), ModelVersion.number)):
        if _order(earlier) == _order(job):
            raise AlreadyOrdered(
                _(
                    "The same photos with the same settings were ordered on %(date)s; that model is version "
                    "%(number)s. Nothing was ordered. Change the photos or the settings, or order it again "
                    'for about %(n)s credits (in the API: {"again": true}).',
                    date=format_date(earlier.created_at),
                    number=number,
                    n=job.estimated_credits,
                )
            )


def _order(job: Job) -> tuple[list[Any], dict[str, Any]]:
    """What the engine is given: photos in their order with their sides, and its settings."""
    photos = [(photo.get("id"), photo.get("angle")) for photo in job.selected_image_metadata]
    return photos, {name: value for name, value in job.generation_config.items() if name not in _NOT_ORDERED}
