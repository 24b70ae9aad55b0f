"""Checks requests and answers against OpenAPI descriptions of the contract.

Our own description is always used. A second one beside the repository is used as well where it exists.
"""

import io
import threading
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing.requests import MockRequest
from openapi_core.testing.responses import MockResponse
from werkzeug.datastructures import MultiDict

OURS = Path(__file__).parent / "meshy.yaml"
SECOND = Path(__file__).parents[4] / "shared" / "reference" / "meshy-openapi.yaml"
DESCRIPTIONS = [OURS, *([SECOND] if SECOND.exists() else [])]


@cache
def _loaded(path: Path) -> OpenAPI:
    return OpenAPI.from_file_path(str(path))


class Contract:
    """Collects what breaks the contract; a test ends with `assert contract.problems == []`."""

    def __init__(self, descriptions: Iterable[Path] = tuple(DESCRIPTIONS)) -> None:
        self._descriptions = [_loaded(path) for path in descriptions]
        self._lock = threading.Lock()
        self.problems: list[str] = []

    def check(
        self,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        body: bytes,
        answer: "tuple[int, dict[str, str], bytes] | None",
    ) -> None:
        """Check a request, and its answer when one is given; a refused request need not be a good one."""
        with self._lock:
            for description in self._descriptions:
                request = MockRequest(
                    "https://api.meshy.ai",
                    method,
                    path,
                    args=MultiDict(parse_qsl(query)),
                    headers=headers,
                    data=body,
                    content_type=headers.get("content-type", ""),
                )
                if answer is None or answer[0] < 400:
                    self._note(f"{method} {path}", partial(description.validate_request, request))
                if answer is not None:
                    response = MockResponse(
                        answer[2],
                        answer[0],
                        headers=answer[1],
                        content_type=answer[1].get("content-type", ""),
                    )
                    self._note(
                        f"{method} {path} → {answer[0]}",
                        partial(description.validate_response, request, response),
                    )

    def _note(self, what: str, check: Callable[[], Any]) -> None:
        try:
            check()
        except OpenAPIError as problem:
            causes = getattr(problem.__cause__, "schema_errors", None) or [problem.__cause__ or problem]
            self.problems.append(f"{what}: {problem} {[str(cause)[:300] for cause in causes]}")


class CheckedApp:
    """A WSGI app whose contract routes are checked on the way in and out."""

    def __init__(self, app: Callable[..., Iterable[bytes]], contract: Contract) -> None:
        self.app = app
        self.contract = contract

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/openapi/"):
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        seen: dict[str, Any] = {}

        def catch(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            seen.update(
                status=int(status.split()[0]), headers={name.lower(): value for name, value in headers}
            )
            return start_response(status, headers, *rest)

        answer = b"".join(self.app(environ, catch))
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        } | {"content-type": environ.get("CONTENT_TYPE", "")}
        self.contract.check(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ.get("QUERY_STRING", ""),
            headers,
            body,
            (seen["status"], seen["headers"], answer),
        )
        return [answer]
