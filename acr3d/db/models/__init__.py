"""The schema, one file a topic. The words of status columns are in `db.states`.

Every model is imported here, so that `Base.metadata` and `relationship` know all tables.
"""

from __future__ import annotations

from acr3d.db.models.accounts import ROLES, ApiToken, EndedSession, User
from acr3d.db.models.base import Base
from acr3d.db.models.billing import CreditEntry
from acr3d.db.models.bulk import BULK_ACTIONS, BulkChange
from acr3d.db.models.content import ContentStamp
from acr3d.db.models.facts import Category, PartFitment, PartNumber
from acr3d.db.models.imports import Import, ImportRow
from acr3d.db.models.jobs import HAS_NEXT_STEP, MODEL_LEVELS, Job, JobEvent, ModelVersion
from acr3d.db.models.orders import Attempt, EngineAccount, UnmatchedTask
from acr3d.db.models.parts import ANGLES, FormerSku, Part, PartImage, PhotoCheck, PhotoOutline
from acr3d.db.models.poller import Poller
from acr3d.db.models.search import PartSearch, SearchWord

__all__ = [
    "ANGLES",
    "BULK_ACTIONS",
    "HAS_NEXT_STEP",
    "MODEL_LEVELS",
    "ROLES",
    "ApiToken",
    "Attempt",
    "Base",
    "BulkChange",
    "Category",
    "ContentStamp",
    "CreditEntry",
    "EndedSession",
    "EngineAccount",
    "FormerSku",
    "Import",
    "ImportRow",
    "Job",
    "JobEvent",
    "ModelVersion",
    "Part",
    "PartFitment",
    "PartImage",
    "PartNumber",
    "PartSearch",
    "PhotoCheck",
    "PhotoOutline",
    "Poller",
    "SearchWord",
    "UnmatchedTask",
    "User",
]
