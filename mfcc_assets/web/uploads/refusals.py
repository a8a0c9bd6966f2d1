"""Refusals of requests, in plain words."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Refused(HTTPException):
    """A request that is not done.

    Parameters
    ----------
    status
        Status of the response.
    said
        Sentences for the listener, in the language of the request.
    retry_seconds
        Time after which the same request may be done; None if waiting does not help.
    """

    def __init__(self, status: HTTPStatus, said: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(said)
        self.code = int(status)
        self._retry_seconds = retry_seconds

    def get_headers(
        self, environ: "WSGIEnvironment | None" = None, scope: "dict[str, object] | None" = None
    ) -> list[tuple[str, str]]:
        """Return the headers of the response. Werkzeug calls this."""
        headers = super().get_headers(environ, scope)
        if self._retry_seconds is not None:
            headers.append(("Retry-After", str(self._retry_seconds)))
        return headers
