"""Notices: what happened, what is new to the reader, and which kinds reach them how. Everybody's own."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d import settings
from acr3d.accounts.rights import Right
from acr3d.db.models import NOTICE_KINDS
from acr3d.foreign import whole
from acr3d.notices import digest, listing, mail, outlets, webhook
from acr3d.notices.channel import SendingFailed
from acr3d.shop import changes, options
from acr3d.web import request_rate
from acr3d.web.access import actor, caller

bp = Blueprint("notices", __name__, url_prefix="/notices")
_MOST = 100


@bp.get("")
def index() -> ResponseReturnValue:
    user, config, found = actor(), settings.current(), caller()
    is_admin = found is not None and found.may(Right.MANAGE)
    names = digest.kind_names()
    return render_template(
        "admin/notices.html",
        told=listing.after(0, listing.kinds_for(user), _MOST),
        seen=user.notices_seen,
        kinds={kind: names[kind] for kind in listing.kinds_for(user)},
        in_app=listing.chosen(user.app_notices, user),
        by_mail=listing.chosen(user.mailed_notices, user),
        has_mail=bool(config.smtp),
        has_webhook=bool(config.notice_webhook) and is_admin,
        to_webhook=options.webhook_notices(),
        mail_problem=outlets.problem_of(user.id),
        webhook_problem=outlets.problem_of(outlets.WEBHOOK) if is_admin else "",
    )


@bp.post("")
def choose() -> ResponseReturnValue:
    user = actor()
    kinds = listing.kinds_for(user)
    listing.choose_in_app(user, [kind for kind in kinds if kind in request.form.getlist("app")])
    outlets.choose_mail(user, [kind for kind in kinds if kind in request.form.getlist("mail")])
    flash(_("Saved."), "success")
    return _back()


@bp.post("/webhook")
def choose_for_webhook() -> ResponseReturnValue:
    changes.choose_webhook_notices([kind for kind in NOTICE_KINDS if kind in request.form.getlist("kind")])
    flash(_("Saved."), "success")
    return _back()


@bp.post("/seen")
def seen() -> ResponseReturnValue:
    listing.mark_seen(actor(), whole(request.form.get("up_to", type=int)) or 0)
    return redirect(url_for("admin.overview"), 303)


@bp.post("/test-mail")
def test_mail() -> ResponseReturnValue:
    request_rate.count()
    subject = _("Test of notices by mail")
    body = _("This mail was asked for on the page Notices. Notices will arrive like it.")
    return _tried(bool(settings.current().smtp), lambda: mail.send(actor().email, subject, body))


@bp.post("/test-webhook")
def test_webhook() -> ResponseReturnValue:
    request_rate.count()
    return _tried(bool(settings.current().notice_webhook), lambda: webhook.send(webhook.test_payload()))


def _tried(is_set_up: bool, send: Callable[[], None]) -> ResponseReturnValue:
    if not is_set_up:
        flash(_("This is not set up on the server, so nothing was sent."), "error")
        return _back()
    try:
        send()
    except SendingFailed as problem:
        flash(_("Nothing arrived: %(why)s. Check the server's settings.", why=problem), "error")
    else:
        flash(_("It was sent and accepted."), "success")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("admin.notices.index"), 303)
