"""The link that opens a part in Android's Scene Viewer.

<model-viewer> would pass its own file, whose Draco and WebP compression that app may not support. The URL
is built like in <model-viewer> 4.4 (lib/features/ar.js); its fields are in Google's "Launch Scene Viewer".
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import url_for

from acr3d.db.models import ModelVersion, Part
from acr3d.storage.index import media_url
from acr3d.web.templating import absolute

_APP = "com.google.android.googlequicksearchbox"


def scene_viewer(version: ModelVersion, part: Part, true_size: bool) -> str | None:
    """The link for a published model, or None if it has no AR file.

    At true size, customers cannot scale the model in the app.
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
