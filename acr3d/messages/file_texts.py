"""Files: downloading them, storing them, and working on them in a child process."""

from __future__ import annotations

from acr3d.messages.marker import N_

FILE_TEXTS = {
    # Downloads. `next` says what happens now, or what to do.
    "download.refused": N_("The file was not downloaded: %(why)s %(next)s"),
    "download.bad_address": N_("its address is not a web address."),
    "download.foreign_origin": N_("%(origin)s is not an allowed source."),
    "download.private_network": N_("its address is in a private network."),
    "download.redirects": N_("its address redirects too often."),
    "download.odd_status": N_("the answer was status %(status)s instead of a file."),
    "download.compressed": N_("the server sent it compressed, which was not requested."),
    "download.too_large": N_("it is larger than %(megabytes)s MB."),
    "download.interrupted": N_("The download was interrupted or took too long. %(next)s"),
    "download.cut_off": N_("The download was cut off. %(next)s"),
    "download.host_trouble": N_("The file's server reported a problem (status %(status)s). %(next)s"),
    "download.address_gone": N_("The address of the file is no longer valid (status %(status)s). %(next)s"),
    "download.no_address": N_(
        "The engine says that the model is done but gives no address for it; it is asked again."
    ),
    "download.stopping": N_("The server is shutting down. The download starts again after the restart."),
    "download.allow_origin": N_("If the address is correct, add its origin to ACR3D_ASSET_ORIGINS."),
    "download.not_glb": N_("What the engine delivered is not a GLB model. %(next)s"),
    "download.damaged_glb": N_("The GLB that the engine delivered is damaged. %(next)s"),
    "download.engine_keeps_it": N_("The engine still has it."),
    "download.asked_again": N_("The engine is asked for a new one."),
    "download.try_again": N_("Try again to download it once more; that costs nothing."),
    "download.fewer_triangles": N_("Ask for fewer triangles."),
    "download.run_again": N_("Run the command again later."),
    "download.by_hand": N_("On the part's page, put the photo in its place with “Replace”, or delete it."),
    "download.smaller_by_hand": N_(
        "Save it smaller. On the part's page, put the photo in its place with “Replace”, or delete it."
    ),
    "download.import_again": N_("Import it again later."),
    "download.mend_table": N_("Correct the address in the table, or add the photo on the part's page."),
    # Storage.
    "storage.not_stored": N_("The file could not be stored (%(why)s)."),
    "storage.not_read": N_("The file storage cannot be read (%(why)s)."),
    "storage.not_deleted": N_("The file could not be deleted (%(why)s)."),
    "storage.missing": N_("The stored file is missing."),
    # Child processes.
    "child.stopping": N_("The server is shutting down. The work starts again after the restart."),
    "child.broke_off": N_("The work stopped unexpectedly. See the server log."),
    "child.too_much_memory": N_("The work needed more than its %(megabytes)s MB of memory and was stopped."),
    "child.too_slow": N_("The work took longer than %(seconds)s seconds and was stopped."),
}
