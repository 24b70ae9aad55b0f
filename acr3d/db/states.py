"""The words that status columns hold. Which may follow which is in `jobs.states`."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """A job's status."""

    PENDING = "pending"  # written down; nothing sent yet, or what was sent is not settled
    SUBMITTED = "submitted"  # the engine gave a task id
    PROCESSING = "processing"  # the engine works on it, or has finished and we fetch the result
    OPTIMIZING = "optimizing"  # the raw GLB is ours; a child makes it small
    COMPLETE = "complete"  # there is a model version
    FAILED = "failed"  # it ended, with a reason a person can act on
    CANCELED = "canceled"  # a person ended it


class NextStep(StrEnum):
    """What the poller does next with a job."""

    SUBMIT = "submit"  # order the model from the engine
    POLL = "poll"  # ask the engine how far the task is
    DOWNLOAD = "download"  # the engine has finished: fetch the raw GLB and keep it
    OPTIMIZE = "optimize"  # make the kept raw GLB small
    REVOKE = "revoke"  # the job is canceled: take its task back from the engine
    NONE = "none"  # nothing: the job has ended


class ModelStatus(StrEnum):
    """What a part shows: the mirror of its newest job."""

    NONE = "none"
    QUEUED = "queued"
    PROCESSING = "processing"
    OPTIMIZING = "optimizing"
    COMPLETE = "complete"
    FAILED = "failed"


class AttemptState(StrEnum):
    """One try at submitting a job."""

    SENDING = "sending"  # with `sent_at`: the request may have gone out
    UNKNOWN = "unknown"  # it went out and no clear answer came back
    ACCEPTED = "accepted"  # there is a task
    REFUSED = "refused"  # there is certainly no task


class BreakerCause(StrEnum):
    """Why an account's circuit breaker is open."""

    KEY = "key"  # it refuses our key (401)
    CREDITS = "credits"  # it is empty (402)
    PLAN = "plan"  # its plan does not include this (403)
    MODEL = "model"  # it no longer offers the model that is set (400)
    ADDRESS = "address"  # what answers there is not the engine
    FULL = "full"  # its queue has no free slot (429)
    RATE = "rate"  # it got too many requests (429)


class VersionState(StrEnum):
    """One model of a part."""

    DRAFT = "draft"  # waits for a person
    PUBLISHED = "published"  # what customers see
    SUPERSEDED = "superseded"  # was published; its URL keeps working
    REJECTED = "rejected"  # was never published and shall not be


class ImportState(StrEnum):
    """What becomes of an imported file. Which may follow which is in `imports.actions`."""

    PREVIEWING = "previewing"  # its rows are compared with the parts; nothing is written to those
    READY = "ready"  # previewed; it waits for a person
    REFUSED = "refused"  # it cannot be read in this way
    IMPORTING = "importing"
    STOPPED = "stopped"  # by a person, a refused row or a fault; it can go on
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class BatchState(StrEnum):
    """What becomes of an order for many models. Which may follow which is in `batches.actions`."""

    READY = "ready"  # it waits for a person, who sees doubts and the price
    RUNNING = "running"  # its parts are ordered one after the other
    PAUSED = "paused"  # by a person, a budget or a changed price
    STOPPED = "stopped"  # for good, by a person
    DONE = "done"  # every part is ordered or left out


class CaptureState(StrEnum):
    """What becomes of a spin capture."""

    UPLOADING = "uploading"  # its files are being sent
    WAITING = "waiting"  # they are all here
    READING = "reading"  # a child looks for frames and cameras
    READY = "ready"  # a model can be made of its frames
    REFUSED = "refused"  # no model can be made of it


WORKING = frozenset({ImportState.PREVIEWING, ImportState.IMPORTING, ImportState.UNDOING})

LIVE = frozenset({Status.PENDING, Status.SUBMITTED, Status.PROCESSING, Status.OPTIMIZING})
ENDED = frozenset(Status) - LIVE

DAYS_IN_BIN = 30
"""How long a deleted part can be brought back."""

# The steps that a job in each status may wait for, the usual one first; the schema checks the pairs.
STEPS: dict[Status, tuple[NextStep, ...]] = {
    Status.PENDING: (NextStep.SUBMIT,),
    Status.SUBMITTED: (NextStep.POLL,),
    Status.PROCESSING: (NextStep.POLL, NextStep.DOWNLOAD),
    Status.OPTIMIZING: (NextStep.OPTIMIZE,),
    Status.COMPLETE: (NextStep.NONE,),
    Status.FAILED: (NextStep.NONE,),
    Status.CANCELED: (NextStep.NONE, NextStep.REVOKE),
}
