"""The capture sheet, printed from the browser."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

one_database = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


@one_database
def test_staff_print_the_sheet_in_both_sizes(client: FlaskClient, admin: FlaskClient) -> None:
    small, large = admin.get("/admin/capture-sheet.pdf"), admin.get("/admin/capture-sheet.pdf?paper=A3")

    assert small.mimetype == large.mimetype == "application/pdf"
    assert b"sheet A4. Print at 100 %: this line is 100 mm long." in small.data
    assert b"sheet A3. Print at 100 %" in large.data
    assert b"MediaBox[0 0 595.276 841.890]" in small.data
    drawn = admin.get("/admin/capture-sheet.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert 'width="210mm" height="297mm"' in drawn.text
    assert admin.get("/admin/capture-sheet.pdf?paper=Letter").status_code == 404
    assert admin.get("/admin/capture-sheet.docx").status_code == 404


@one_database
def test_customers_are_asked_to_log_in(client: FlaskClient) -> None:
    assert "/login" in client.get("/admin/capture-sheet.pdf").location
