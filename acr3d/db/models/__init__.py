"""The schema, one file a topic. The words of status columns are in `db.states`.

Every model is imported here, so that `Base.metadata` and `relationship` know all tables.
"""

from __future__ import annotations

from acr3d.db.models.accounts import ROLES, ApiToken, EndedSession, User
from acr3d.db.models.base import Base
from acr3d.db.models.batches import Batch, BatchPart
from acr3d.db.models.billing import CreditEntry
from acr3d.db.models.bulk import BULK_ACTIONS, BulkChange
from acr3d.db.models.captures import POSITIONS, Capture, CaptureBlob, CaptureFile
from acr3d.db.models.content import ContentStamp
from acr3d.db.models.facts import Category, PartFitment, PartNumber
from acr3d.db.models.imports import Import, ImportPhoto, ImportRow
from acr3d.db.models.jobs import HAS_NEXT_STEP, MODEL_LEVELS, Job, JobEvent, ModelVersion
from acr3d.db.models.log import LOG_ACTIONS, LOG_KINDS, LogEntry
from acr3d.db.models.model_files import FILE_FORMATS, ModelFile
from acr3d.db.models.notices import NOTICE_KINDS, Notice, NoticeOutlet
from acr3d.db.models.orders import Attempt, EngineAccount, UnmatchedTask
from acr3d.db.models.parts import (
    ANGLES,
    BACKGROUNDS,
    CleanPhoto,
    FormerSku,
    Part,
    PartImage,
    PhotoCheck,
    PhotoOutline,
)
from acr3d.db.models.poller import Poller
from acr3d.db.models.search import PartSearch, SearchWord
from acr3d.db.models.shop import ShopOptions

__all__ = [
    "ANGLES",
    "BACKGROUNDS",
    "BULK_ACTIONS",
    "FILE_FORMATS",
    "HAS_NEXT_STEP",
    "LOG_ACTIONS",
    "LOG_KINDS",
    "MODEL_LEVELS",
    "NOTICE_KINDS",
    "POSITIONS",
    "ROLES",
    "ApiToken",
    "Attempt",
    "Base",
    "Batch",
    "BatchPart",
    "BulkChange",
    "Capture",
    "CaptureBlob",
    "CaptureFile",
    "Category",
    "CleanPhoto",
    "ContentStamp",
    "CreditEntry",
    "EndedSession",
    "EngineAccount",
    "FormerSku",
    "Import",
    "ImportPhoto",
    "ImportRow",
    "Job",
    "JobEvent",
    "LogEntry",
    "ModelFile",
    "ModelVersion",
    "Notice",
    "NoticeOutlet",
    "Part",
    "PartFitment",
    "PartImage",
    "PartNumber",
    "PartSearch",
    "PhotoCheck",
    "PhotoOutline",
    "Poller",
    "SearchWord",
    "ShopOptions",
    "UnmatchedTask",
    "User",
]
