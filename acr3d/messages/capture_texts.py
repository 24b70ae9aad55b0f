"""Why a spin capture was refused by the server; what its reading says is in `spin_texts`."""

from __future__ import annotations

from acr3d.messages.marker import N_

CAPTURE_TEXTS = {
    "capture.not_installed": N_(
        "Spin capture is not installed on this server. Install it with “make spin”, then film the part again."
    ),
    "capture.photo_refused": N_("“%(name)s”: %(why)s"),
    "capture.files_lost": N_(
        "The files of this capture can no longer be read from the server's storage. Film the part again."
    ),
    "capture.unreadable": N_(
        "These files could not be read, three times in a row. Film the part again, at 1080p, in one go."
    ),
}
