"""A job's life: what it did, what it waits for, why it failed."""

from __future__ import annotations

from acr3d.messages.marker import N_

JOB_TEXTS = {
    # What a person did.
    "job.requested_spin": N_("Requested from a spin capture with %(n)s frames."),
    "job.requested": N_("Requested with %(n)s photos."),
    "job.canceled": N_("Canceled by a person."),
    "job.canceled_paid": N_(
        "Canceled by a person. The model was already paid for, so its credits are spent."
    ),
    "job.canceled_unsent": N_("Canceled by a person. Nothing had been sent, so nothing is spent."),
    "job.resumed_from_raw": N_("Resumed from the stored raw model; this costs nothing."),
    "job.resumed_from_task": N_("Resumed from the engine's task; this costs nothing."),
    "job.restarted": N_("Started again from its photos."),
    "job.reoptimized": N_("Optimized again from the stored raw model; this costs nothing."),
    "model.published": N_("Model %(n)s was published."),
    "model.rejected": N_("Model %(n)s was rejected."),
    "model.rejected_because": N_("Model %(n)s was rejected: %(reason)s"),
    "model.size_confirmed": N_(
        "The size of model %(n)s was confirmed, although its proportions differ from the part's sizes."
    ),
    # What the poller did.
    "job.raw_stored": N_("The raw model was downloaded and stored."),
    "job.remade_from_raw": N_(
        "The engine no longer has this model; it is made from the stored raw model instead."
    ),
    "model.ready_published": N_("Model %(n)s is ready and published."),
    "model.ready": N_("Model %(n)s is ready and waits for a person to publish it."),
    "model.ready_not_compared": N_(
        "Model %(n)s is ready but could not be compared with its photos; it waits for a person to publish it."
    ),
    "model.ready_agrees_little": N_(
        "Model %(n)s is ready but agrees only %(share)s %% with its photos; "
        "it waits for a person to publish it."
    ),
    "model.ready_one_axis": N_(
        "Model %(n)s is ready, but its photos look along one direction only, so its depth is a guess; it "
        "waits for a person to publish it. A photo from another side gives a better model."
    ),
    "model.ready_unsure": N_(
        "Model %(n)s is ready, but the engine is only %(share)s %% sure of its shape; it waits for a person "
        "to publish it."
    ),
    "model.ready_front_unsure": N_(
        "Model %(n)s is ready, but its photos do not show which side is its front; it waits for a person to "
        "publish it. An admin can turn it with “Optimize again”."
    ),
    # What became of a canceled job's task.
    "revoke.task_removed": N_("The engine had not begun; its task was removed."),
    "revoke.task_goes_on": N_("The engine had already started and continues."),
    "revoke.task_stopped": N_("The engine had already started and was stopped."),
    "revoke.task_finished": N_("The engine had finished the model."),
    "revoke.task_failed": N_("The engine's task had failed."),
    "revoke.task_gone": N_("The engine's task was already gone."),
    "revoke.nothing_ordered": N_("The engine had taken no order, so nothing is spent."),
    "revoke.no_account": N_(
        "Its account has not been set up here since it was canceled; its task is left alone."
    ),
    "credits.given_back": N_("Its credits are given back."),
    "credits.spent": N_("Its credits are spent."),
    "credits.counted_as_spent": N_("Its credits count as spent, unless it failed."),
    "credits.not_charged": N_("Nothing was charged for it."),
    # Why it waits.
    "job.retried_soon": N_("%(reason)s It is tried again soon."),
    "job.other_host": N_(
        "This job belongs to the built-in engine of another host and waits until that one runs. "
        "To make the model here, cancel the job and generate again."
    ),
    "job.other_account": N_(
        "This job belongs to another %(engine)s account or address than the one set up now. It waits and is "
        "not ordered again. Restore %(key)s and %(address)s, or cancel the job."
    ),
    "job.engine_removed": N_(
        "The engine of this job is no longer part of acr3d. Cancel the job and generate the model again."
    ),
    "job.task_not_found": N_("The engine does not know this task at the moment; it is asked again."),
    # Why it failed.
    "job.tried_often": N_("%(reason)s It was tried %(n)s times."),
    "job.raw_model_kept": N_("%(reason)s The raw model is kept as it came."),
    "job.our_failure": N_("Something went wrong on our side; see the server log."),
    "job.too_late": N_(
        "The engine did not finish within two hours. Try again to check the task once more; "
        "this costs nothing."
    ),
    "job.task_lost": N_(
        "The engine no longer knows this task, so its result is lost. Try again to order a new one."
    ),
    "job.task_failed": N_("The engine could not make the model: %(reason)s %(advice)s"),
    "job.no_reason": N_("It gave no reason."),
    "job.change_photos": N_("The same photos would fail again: change them and press Generate."),
    "job.try_again": N_("Try again, or choose other photos."),
    "job.film_again": N_("Film the part again, then generate from the new capture."),
    "job.try_again_or_film": N_("Try again. If it fails again, film the part again."),
    "job.restored_unsent": N_(
        "This is restored from a backup of %(at)s UTC, when the job was still waiting to be sent. It may "
        "have been ordered since, so it is not sent by itself: look for its task at the engine first, then "
        "try again."
    ),
    "job.restored_builtin": N_(
        "This is restored from a backup of %(at)s UTC, and backups do not contain the built-in engine's "
        "work. Generate the model again; it costs nothing."
    ),
}
