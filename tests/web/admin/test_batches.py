"""The pages of models of many parts: chosen in the list, the price seen, ordered, stopped."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from acr3d.batches.work import order_due
from acr3d.parts.parts import part_by_id
from tests.support.accounts import csrf_token
from tests.support.factories import make_part, make_part_with_photos


def test_chosen_parts_are_ordered_after_their_doubts_and_price_were_seen(
    app: Flask, admin: FlaskClient
) -> None:
    with app.app_context():
        good, bare = make_part_with_photos("P-1").id, make_part("P-2").id
    token = {"csrf_token": csrf_token(admin)}

    page = admin.post("/admin/batches", data=token | {"part": [good, bare]}).location
    ready = admin.get(page).text
    agreed = re.findall(r'name="agreed" value="(\d+)"', ready)[0]
    other = admin.post(f"{page}/start", data=token | {"engine": "builtin", "agreed": "7"})
    admin.post(f"{page}/start", data=token | {"engine": "builtin", "agreed": agreed, "level": "light"})
    running = admin.get(f"{page}/live").text
    admin.post(f"{page}/pause", data=token)
    paused = admin.get(page).text
    admin.post(f"{page}/resume", data=token)
    with app.app_context():
        order_due()
        status = part_by_id(good).model_status
    done = admin.get(page).text
    late = admin.post(f"{page}/stop", data=token, follow_redirects=True).text

    assert "Fewer than two of its photos say which side they show." in ready
    assert "1 model: free" in " ".join(re.sub(r"<[^>]+>", "", ready).split())
    assert other.status_code == 409
    assert "The price has changed" in other.text
    assert "Waiting: 1. In progress: 0." in running
    assert status == "queued"
    assert "Paused" in paused
    assert "All ordered" in done
    assert "In progress: 1." in done
    assert "moved on since" in late
    assert page in admin.get("/admin/batches").text
    assert "Choose at least one part" in admin.post("/admin/batches", data=token).text
