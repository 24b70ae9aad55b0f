"""Sends a mail through the SMTP server of ACR3D_SMTP_URL. A password goes over TLS only."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from acr3d import settings
from acr3d.notices.channel import SendingFailed

_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}


def send(address: str, subject: str, body: str) -> None:
    """Raises SendingFailed."""
    config = settings.current()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = config.mail_from, address, subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=config.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from a machine
    message.set_content(body)
    try:
        with _connected(config.smtp) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        raise SendingFailed(_reason(problem)) from problem


@contextmanager
def _connected(address: str) -> Iterator[smtplib.SMTP]:
    """The server, logged in; the connection is closed at the end, also after a failure."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    is_safe = parts.scheme == "smtps"
    made: smtplib.SMTP = (
        smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
        if is_safe
        else smtplib.SMTP(host, port, timeout=_SECONDS)
    )
    with made as server:
        server.ehlo()
        if not is_safe and server.has_extn("starttls"):
            server.starttls(context=context)
        elif not is_safe and parts.username:
            raise smtplib.SMTPNotSupportedError("the server offers no TLS, so no password was sent")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def _reason(problem: Exception) -> str:
    """In one line; a server's answer is cut."""
    if isinstance(problem, smtplib.SMTPResponseException):
        answer = problem.smtp_error
        words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        return f"{problem.smtp_code} {words}"[:300]
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return f"the server refused the address ({next(iter(problem.recipients.values()))[0]})"
    if isinstance(problem, ValueError) and not isinstance(problem, OSError):
        return type(problem).__name__  # its text may hold a piece of the password
    return f"{type(problem).__name__}: {problem}"[:300]
