"""Every message has a text with exactly its parameters, and is worded in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from acr3d.db.states import BreakerCause
from acr3d.engines.errors import InvalidRequest
from acr3d.engines.meshy.response import Answer, refusal
from acr3d.messages.catalog import TEXTS
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker
from acr3d.web.templating import LANGUAGES

PACKAGE = Path(__file__).parents[2] / "acr3d"
# Classes whose first argument is a code, and whose others are its parameters.
BY_CODE = {"Message", "PhotoRefused", "TableRefused", "Busy", "SpinError"}
COMPUTED = re.compile(r"breaker\.|option\.|engine\.|revoke\.|credits\.|angle\.|outline\.")


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def messages_in_the_code() -> Iterator[tuple[str, str, set[str]]]:
    """Where a message is made with a literal code, the code, and the names of its parameters."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id not in BY_CODE or not call.args:
                continue
            options = call.args[0]
            codes = [options.body, options.orelse] if isinstance(options, ast.IfExp) else [options]
            for code in codes:
                if isinstance(code, ast.Constant):
                    names = {word.arg for word in call.keywords if word.arg}
                    yield f"{path.name}:{call.lineno}", code.value, names


def test_every_message_in_the_code_has_a_text_with_exactly_its_parameters() -> None:
    made = list(messages_in_the_code())

    assert len(made) > 60
    for place, code, names in made:
        assert code in TEXTS, (place, code)
        assert names == placeholders(TEXTS[code]), (place, code)


def test_every_text_belongs_to_a_message_in_the_code() -> None:
    made = {code for _place, code, _names in messages_in_the_code()}

    only_in_old_rows = {"answer.too_slow"}
    unused = {code for code in TEXTS if code not in made and not COMPUTED.match(code)}
    assert unused <= {"text"} | only_in_old_rows


@pytest.mark.parametrize("engine", ["meshy", "builtin", "an engine that is gone"])
@pytest.mark.parametrize("cause", BreakerCause)
def test_every_cause_of_an_open_breaker_has_its_message(cause: BreakerCause, engine: str) -> None:
    assert str(circuit_breaker.message(cause, engine))


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 409, 413, 418, 422, 429])
def test_every_refusal_of_an_engine_has_its_message(status: int) -> None:
    _kind, message = refusal("Meshy", Answer(status, None, "", None), about_task=True)

    assert str(message).startswith("Meshy ")


def test_a_message_is_read_back_as_it_was_stored() -> None:
    inner = Message("engine.unanswered", engine=Message("engine.builtin"), why=Message("answer.timeout"))
    message = Message("job.tried_often", reason=inner, n=5)

    back = Message.stored(message.code, message.stored_params(), "")

    assert back == message
    assert str(back) == (
        "The built-in engine gave no usable answer (it took too long). It is asked again. "
        "It was tried 5 times."
    )


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("job.of_tomorrow", {}),
        ("job.tried_often", {"times": 5}),
        ("job.retried_soon", {"reason": {"code": "job.of_tomorrow", "params": {}}}),
        ("job.retried_soon", ["not", "an", "object"]),
        (None, None),
    ],
    ids=["unknown", "other parameters", "unknown inside", "no object", "no code"],
)
def test_what_this_version_cannot_word_is_shown_as_it_was_written(
    code: str | None, params: dict[str, object] | None
) -> None:
    assert str(Message.stored(code, params, "It was written so.")) == "It was written so."


def test_text_from_outside_is_shown_as_it_came_percent_signs_and_all(app: Flask) -> None:
    refused = InvalidRequest("100% of the %(photos)s are dark.")

    assert str(refused) == worded(refused.message) == "100% of the %(photos)s are dark."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_worded_with_its_parameters(app: Flask, language: str) -> None:
    with app.test_request_context(), force_locale(language):
        for code, text in TEXTS.items():
            said = worded(Message(code, **{name: f"<{name}>" for name in placeholders(text)}))
            assert all(f"<{name}>" in said for name in placeholders(text)), (code, said)
            assert "%(" not in said, (code, said)


@pytest.mark.parametrize(("language", "number"), [("en", "20.4"), ("de", "20,4"), ("es", "20,4")])
def test_numbers_are_written_as_the_reader_writes_them(app: Flask, language: str, number: str) -> None:
    message = Message("photo.file_too_large", megabytes=20.4, most=20)

    with app.test_request_context(), force_locale(language):
        assert f"{number} MB" in worded(message)
