"""Every message's English text by its code. Codes are stored: rename none, and keep those of old rows."""

from __future__ import annotations

from acr3d.messages.capture_texts import CAPTURE_TEXTS
from acr3d.messages.engine_texts import ENGINE_TEXTS
from acr3d.messages.file_texts import FILE_TEXTS
from acr3d.messages.job_texts import JOB_TEXTS
from acr3d.messages.model_texts import MODEL_TEXTS
from acr3d.messages.order_texts import ORDER_TEXTS
from acr3d.messages.outline_texts import OUTLINE_TEXTS
from acr3d.messages.photo_texts import PHOTO_TEXTS
from acr3d.messages.spin_texts import SPIN_TEXTS
from acr3d.messages.table_texts import TABLE_TEXTS

TEXTS: dict[str, str] = {
    "text": "%(text)s",  # as it came: an engine's own words, rows of earlier versions
    "sentences": "%(first)s %(second)s",
    **JOB_TEXTS,
    **ORDER_TEXTS,
    **ENGINE_TEXTS,
    **FILE_TEXTS,
    **OUTLINE_TEXTS,
    **PHOTO_TEXTS,
    **MODEL_TEXTS,
    **TABLE_TEXTS,
    **CAPTURE_TEXTS,
    **SPIN_TEXTS,
}
