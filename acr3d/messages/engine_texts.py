"""What engines answer, or fail to answer. `engine` is an engine's name at the beginning of a sentence."""

from __future__ import annotations

from acr3d.messages.marker import N_

ENGINE_TEXTS = {
    "engine.builtin": N_("The built-in engine"),
    "engine.builtin_name": N_("Built-in engine"),
    "engine.hint_draft": N_("a rough model from the outlines, in under a minute"),
    "engine.hint_detailed": N_("a detailed model, in a few minutes"),
    "engine.unreachable": N_(
        "%(engine)s could not be reached (%(why)s); nothing was sent. It is tried again."
    ),
    "engine.create_unanswered": N_(
        "%(engine)s was sent the photos but gave no usable answer (%(why)s). "
        "The newest tasks are looked through before anything is sent again."
    ),
    "engine.unanswered": N_("%(engine)s gave no usable answer (%(why)s). It is asked again."),
    "engine.endless_list": N_("The engine's list of tasks has no end in sight; it is looked through again."),
    # Why there was no answer.
    "answer.with_status": N_("%(why)s, status %(status)s"),
    "answer.timeout": N_("it took too long"),
    "answer.not_connected": N_("the connection failed"),
    "answer.broke_off": N_("the connection broke off"),
    "answer.too_large": N_("its answer is too large"),
    "answer.too_slow": N_("its answer took too long"),
    "answer.unreadable": N_("its answer is unreadable"),
    "answer.server_error": N_("it has trouble of its own"),
    "answer.no_task_id": N_("its answer names no task"),
    "answer.no_task": N_("its answer is not a task"),
    "answer.no_list": N_("its answer is not a list of tasks"),
    "answer.no_balance": N_("its answer contains no balance"),
    # What it refused.
    "engine.said": N_("%(message)s It said: “%(words)s”"),
    "engine.bad_request": N_(
        "%(engine)s does not accept these photos or settings; change them and start again."
    ),
    "engine.refused": N_("%(engine)s refused the request (status %(status)s)."),
    "engine.photos_too_large": N_("%(engine)s found the photos too large; use smaller ones and start again."),
    "engine.key_refused": N_(
        "%(engine)s refused the API key; all jobs wait until MESHY_API_KEY holds a valid one."
    ),
    "engine.no_credits": N_(
        "%(engine)s has too few credits left; all jobs wait until the account is topped up."
    ),
    "engine.plan_refused": N_(
        "%(engine)s does not allow this in the account's plan; all jobs wait until it does."
    ),
    "engine.model_retired": N_(
        "%(engine)s no longer offers the model that is set; all jobs wait until another one is chosen in "
        "Settings."
    ),
    "engine.task_unknown": N_(
        "%(engine)s no longer has this task; its results are kept for three days only."
    ),
    "engine.task_running": N_("%(engine)s does not allow this while the task is running."),
    "engine.wrong_address": N_(
        "%(engine)s is not at this address (status %(status)s); check MESHY_API_BASE."
    ),
    "engine.queue_full": N_("%(engine)s has no free place for another task; the job waits for one."),
    "engine.rate_limited": N_(
        "%(engine)s received too many requests in a short time; the job waits a little."
    ),
    # The models that an admin chooses from.
    "model.newest": N_("the newest; the most detail"),
    "model.leaving": N_("older; Meshy has announced its end"),
    "model.emission": N_("older; the only one that makes glowing surfaces"),
    "model.lite": N_("the cheapest, with less detail"),
    "model.unknown": N_("named in ACR3D_MESHY_MODEL; its price is a guess"),
    "model.retired": N_("named in ACR3D_MESHY_MODEL; retired"),
    # What may not be asked of it.
    "option.not_whole": N_("%(label)s must be a whole number."),
    "option.out_of_range": N_("%(label)s must be between %(low)s and %(high)s."),
    "option.not_a_switch": N_("%(label)s must be true or false."),
    "option.not_one_line": N_("%(label)s must be one line of plain text."),
    "option.too_long": N_("%(label)s may have at most %(n)s characters."),
    "option.label_polycount": N_("The number of triangles"),
    "option.label_prompt": N_("The surface description"),
    "option.photo_count": N_("%(engine)s makes a model from 1 to %(n)s photos."),
    "option.no_model": N_("Name an AI model: without a name, price and appearance change without notice."),
}
