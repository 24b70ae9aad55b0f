"""Orders to an engine: why they wait, and what became of them."""

from __future__ import annotations

from acr3d.messages.marker import N_

ORDER_TEXTS = {
    # Why an order waits.
    "order.another_is_sent": N_("Waiting: another job is being sent to the engine."),
    "order.no_place": N_("Waiting for a free place: other models are being made."),
    "order.disk_full": N_(
        "The disk is nearly full, so nothing is ordered. Orders continue by themselves when there is room "
        "again; “flask sweep” lists what takes up space."
    ),
    "order.outcome_unknown": N_(
        "Waiting to find out whether the engine took the order; nothing is sent again."
    ),
    "order.ambiguous": N_(
        "%(n)s tasks at the engine could belong to this job; an admin must say which one does."
    ),
    # Why all orders of an account wait: one for each `Pause`.
    "pause.key": N_(
        "Meshy refuses the API key, so all orders wait. They continue by themselves when it is accepted "
        "again. If you set another MESHY_API_KEY, cancel the waiting jobs and start them again."
    ),
    "pause.credits": N_(
        "The Meshy account has too few credits, so all orders wait. They continue by themselves when it is "
        "topped up."
    ),
    "pause.plan": N_(
        "The Meshy account's plan does not allow this, so all orders wait. They continue by themselves when "
        "it does."
    ),
    "pause.address": N_(
        "MESHY_API_BASE is not the address of Meshy, so all orders wait. They continue by themselves when "
        "Meshy answers there."
    ),
    "pause.full": N_("The engine has no free place for another task; the order waits for one."),
    "pause.rate": N_("The engine received too many requests in a short time; the order waits a little."),
    # What became of an attempt.
    "order.accepted": N_("The engine accepted the order."),
    "order.found": N_("The engine had accepted the order; it was found among the engine's tasks."),
    "order.not_sent": N_("Interrupted before anything was sent."),
    "order.answer_lost": N_("Interrupted before the engine's answer came."),
    "order.not_created": N_("The engine lists no such task: it was not created."),
    "order.left_alone": N_("Possibly this job's, and left alone: task %(tasks)s."),
    "order.extra_task": N_("The engine also made task %(task)s for this job; no job follows it."),
    "order.task_chosen": N_("An admin chose task %(task)s for this job."),
    "order.none_chosen": N_(
        "An admin said that none of the engine's tasks belongs to this job; it is ordered again."
    ),
    "order.task_attached": N_("Task %(task)s, which no job followed, was given to this part."),
}
