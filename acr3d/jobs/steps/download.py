"""Downloading a finished task's raw GLB: to a temporary file, then stored for good before it is judged.

It is paid for, and the engine deletes it: what the optimizer refuses today, a later version may read.
"""

from __future__ import annotations

from pathlib import Path

from acr3d.db.models import Job
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import TaskNotFound
from acr3d.engines.glb_check import RAW_MODEL
from acr3d.engines.remote_task import Task
from acr3d.jobs import transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.jobs.steps.poll import handle_missing_task
from acr3d.messages.message import Message
from acr3d.net.download import DownloadedFile, DownloadGone, download_file
from acr3d.storage.index import media_url
from acr3d.storage.temporary import temporary_file


def download_result(lease: JobLease, job: Job, provider: Provider) -> None:
    """Bring a finished job to `optimizing`.

    The engine is asked for the address each time, since it is signed and expires. Raises EngineError,
    DownloadError, StorageError or LeaseLost.
    """
    try:
        task = provider.get(job.meshy_task_id or "")
    except TaskNotFound:
        handle_missing_task(lease, provider)
        return
    if not task.glb_url:
        raise DownloadGone(Message("download.no_address"))
    with temporary_file() as raw:
        with raw.open("wb") as file:
            downloaded = download_file(
                task.glb_url,
                file,
                RAW_MODEL,
                allowed_origins=provider.allowed_origins,
                private_origins=provider.private_origins,
                transport_for=lambda _origin: provider.transport,
                stop=lease.stop,
            )
        _store(lease, job, task, raw, downloaded)


def _store(lease: JobLease, job: Job, task: Task, raw: Path, downloaded: DownloadedFile) -> None:
    # Named by its content: another file never overwrites a stored one.
    key = f"parts/{job.part_id}/raw/{job.id}-{downloaded.sha256[:16]}.glb"
    with lease.store_and_write({key: raw}) as (session, kept, part):
        kept.raw_storage_path = key
        kept.raw_model_url = media_url(key)
        kept.raw_file_size_bytes = downloaded.size
        if kept.processing_started_at:
            kept.processing_duration_seconds = (utc_now() - kept.processing_started_at).total_seconds()
        kept.generation_report = dict(task.report)
        transitions.transition(session, kept, part, Status.OPTIMIZING, ACTOR, Message("job.raw_stored"))
