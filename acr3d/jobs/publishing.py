"""Which model customers see: a part's first one publishes itself, any other waits for a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from acr3d.db.models import Job, ModelVersion, Part
from acr3d.db.states import VersionState
from acr3d.db.types import utc_now
from acr3d.foreign import Facts
from acr3d.jobs.queries import published_version
from acr3d.messages.message import Message
from acr3d.parts.angles import viewing_axes
from acr3d.shop import options
from acr3d.storage.index import media_url

LEAST_CONFIDENCE = 0.6
"""The built-in engine's confidence in its model, 0 to 1, below which a person looks first."""


def publish_if_first(
    session: Session, job: Job, part: Part, version: ModelVersion, agreement: dict[str, Any] | None
) -> Message:
    """Publish the new `version` unless a person must decide; says which, for the job's history.

    A person decides about a further model, one whose photos look along one axis only, one that agrees too
    little with its photos, one of whose shape the engine is unsure, and one whose front is unsure.
    `agreement` is the report of `silhouette_check`. Runs in the caller's transaction.
    """
    # The model of a task that was attached by hand was not made from this part's photos.
    was_ordered = bool(job.selected_image_ids or job.capture_ids)
    is_further = job.optimized_from is not None or published_version(part.id, session) is not None
    if options.current().review_before_publish or not was_ordered or is_further:
        return Message("model.ready", n=version.number)
    if len(viewing_axes(one["angle"] for one in job.selected_image_metadata)) == 1:
        return Message("model.ready_one_axis", n=version.number)
    if _agrees_too_little(job, agreement):
        return _agrees_little(version.number, agreement)
    confidence = Facts(job.generation_report).number("sureness")
    if confidence is not None and confidence < LEAST_CONFIDENCE:
        return Message("model.ready_unsure", n=version.number, share=round(100 * confidence))
    if _is_front_unsure(agreement):
        return Message("model.ready_front_unsure", n=version.number)
    publish(session, version, part, by_user=None)
    return Message("model.ready_published", n=version.number)


def publish(session: Session, version: ModelVersion, part: Part, by_user: str | None) -> None:
    """Show `version` to customers; the version before it keeps its URL."""
    before = published_version(part.id, session)
    if before is not None and before.id != version.id:
        before.state = VersionState.SUPERSEDED
        session.flush()  # one published version a part, checked row by row
    version.state = VersionState.PUBLISHED
    version.published_at = utc_now()
    version.published_by = by_user
    part.model_3d_url = media_url(version.storage_path)
    part.revision += 1
    session.flush()


def doubtful_agreement(version: ModelVersion) -> int | None:
    """The version's agreement with its photos, in per cent, if a person should be asked before publishing."""
    share = Facts(version.report).part("agreement").number("all")
    is_low = share is not None and 100 * share < options.current().ask_agreement
    return round(100 * share) if share is not None and is_low else None


def _agrees_too_little(job: Job, report: dict[str, Any] | None) -> bool:
    """Whether a person must review the model first: it agrees less than the job, or else the host, requires,
    or could not be measured."""
    config = options.current()
    least = int(job.generation_config.get("least_agreement", config.least_agreement))
    if report is None:
        return least > 0
    asked = 0 if "least_agreement" in job.generation_config else config.ask_agreement
    return 100 * float(report["all"]) < max(least, asked)


def _is_front_unsure(report: dict[str, Any] | None) -> bool:
    """Whether the front was searched for, and the photos do not tell which side it is."""
    return report is not None and not report.get("is_sure", True)


def _agrees_little(number: int, agreement: dict[str, Any] | None) -> Message:
    if agreement is None:
        return Message("model.ready_not_compared", n=number)
    return Message("model.ready_agrees_little", n=number, share=round(100 * agreement["all"]))
