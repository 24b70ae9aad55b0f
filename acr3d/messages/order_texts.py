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
    "order.unlisted": N_(
        "The answer to this order was lost, and the engine cannot list its tasks. It may have made the "
        "model: an admin must check the account there and decide."
    ),
    # Why all orders of an account wait: one for each `BreakerCause`.
    "breaker.key": N_(
        "%(engine)s refuses the API key, so orders wait. They continue when it accepts the key. If you set "
        "another %(key)s, cancel the waiting jobs and start them again."
    ),
    "breaker.credits": N_(
        "The %(engine)s account has too few credits, so orders wait. They continue when it is topped up."
    ),
    "breaker.plan": N_(
        "The plan of the %(engine)s account does not allow this, so orders wait. They continue when it does."
    ),
    "breaker.model": N_(
        "%(engine)s has retired %(model)s, so orders wait. Choose another model in Settings; they then "
        "continue by themselves."
    ),
    "breaker.address": N_(
        "The server at %(address)s is not %(engine)s, so orders wait. They continue when it is."
    ),
    "breaker.full": N_("The engine has no free slot for another task. The order waits for one."),
    "breaker.rate": N_("The engine got too many requests in a short time. The order waits a little."),
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
