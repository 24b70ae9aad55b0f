"""The link that opens a part in Android's Scene Viewer.

<model-viewer> would hand over its own file, whose Draco and WebP that app cannot be trusted with. The address
is as <model-viewer> 4.4 makes it (lib/features/ar.js); its fields are in Google's "Launch Scene Viewer".
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import url_for

from acr3d.db.models import ModelVersion, Part
from acr3d.storage.index import media_url
from acr3d.web.templating import absolute

_APP = "com.google.android.googlequicksearchbox"


def scene_viewer(version: ModelVersion, part: Part, true_size: bool) -> str | None:
    """The address for a published model, or None when it has no file of that kind.

    In true size, the app keeps the customer from scaling the model.
    """
    if not version.ar_storage_path:
        return None
    page = absolute(url_for("public.part", sku=part.sku))
    asked = {
        "file": absolute(media_url(version.ar_storage_path)),
        "mode": "ar_preferred",
        "title": part.name,
        "link": page,
    }
    if true_size:
        asked["resizable"] = "false"
    intent = f"scheme=https;package={_APP};action=android.intent.action.VIEW"
    back = f"S.browser_fallback_url={quote(page, safe='')}"
    query = urlencode(asked, safe="", quote_via=quote)
    return f"intent://arvr.google.com/scene-viewer/1.2?{query}#Intent;{intent};{back};end;"
