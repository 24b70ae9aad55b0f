"""Notices as a mail: one as itself, several as a digest."""

from __future__ import annotations

from collections import Counter

from flask_babel import gettext as _
from flask_babel import ngettext

from acr3d import settings
from acr3d.notices.listing import Told
from acr3d.shop import options

_LINES = 30


def kind_names() -> dict[str, str]:
    """What the kinds are called."""
    return {
        "failed": _("A job failed"),
        "review": _("A model waits for review"),
        "balance": _("Low balance"),
        "budget": _("Budget used up"),
        "poller": _("The job service stopped"),
    }


def written(told: list[Told]) -> tuple[str, str]:
    """Subject and body in the reader's language, of at least one notice, newest first."""
    shop = options.current().shop.name or "acr3d"
    if len(told) == 1:
        subject = told[0].sentence
    else:
        names, counted = kind_names(), Counter(one.notice.kind for one in told)
        kinds = ", ".join(f"{names[kind]}: {count}" for kind, count in counted.most_common())
        subject = ngettext("%(num)s notice", "%(num)s notices", len(told)) + f" ({kinds})"
    lines = [f"- {one.sentence}{_link(one)}" for one in told[:_LINES]]
    if left := len(told) - len(lines):
        lines.append(ngettext("… and %(num)s more.", "… and %(num)s more.", left))
    return f"[{shop}] {_one_line(subject)}"[:200], "\n".join([*lines, "", *_foot()]) + "\n"


def part_url(one: Told) -> str:
    """The part's page for staff; empty without a part or without a public address."""
    origin = settings.current().public_url
    return f"{origin}/admin/parts/{one.job.part_id}" if origin and one.job else ""


def _link(one: Told) -> str:
    url = part_url(one)
    return f"\n  {url}" if url else ""


def _foot() -> list[str]:
    origin = settings.current().public_url
    where = f": {origin}/admin/notices" if origin else "."
    return [_("Choose which notices you get by mail on the page Notices") + where]


def _one_line(text: str) -> str:
    return " ".join(text.split())
