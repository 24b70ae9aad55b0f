"""Which job status may follow which, and what a part shows for each."""

from __future__ import annotations

from acr3d.db.states import ModelStatus, Status

MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.SUBMITTED, Status.FAILED, Status.CANCELED}),
    Status.SUBMITTED: frozenset({Status.PROCESSING, Status.OPTIMIZING, Status.FAILED, Status.CANCELED}),
    Status.PROCESSING: frozenset({Status.OPTIMIZING, Status.FAILED, Status.CANCELED}),
    Status.OPTIMIZING: frozenset({Status.COMPLETE, Status.FAILED, Status.CANCELED}),
    Status.COMPLETE: frozenset(),
    # A retry goes on from what is kept: the raw file, the task, or nothing.
    Status.FAILED: frozenset({Status.PENDING, Status.PROCESSING, Status.OPTIMIZING}),
    Status.CANCELED: frozenset(),
}

SHOWN_AS: dict[Status, ModelStatus] = {
    Status.PENDING: ModelStatus.QUEUED,
    Status.SUBMITTED: ModelStatus.PROCESSING,
    Status.PROCESSING: ModelStatus.PROCESSING,
    Status.OPTIMIZING: ModelStatus.OPTIMIZING,
    Status.COMPLETE: ModelStatus.COMPLETE,
    Status.FAILED: ModelStatus.FAILED,
}


def model_status(status: Status, has_published_model: bool) -> ModelStatus:
    """What a part shows when its newest job has `status`."""
    if status is Status.CANCELED:
        return ModelStatus.COMPLETE if has_published_model else ModelStatus.NONE
    return SHOWN_AS[status]
