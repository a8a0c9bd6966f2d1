"""What a listener sees when a request fails: a page, or a problem as RFC 9457 describes it for programs."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

from mfcc_assets.errors import (
    AudioError,
    BlobNameError,
    BlobNotFound,
    Conflict,
    CorruptIndex,
    DocumentNotFound,
    FeaturesMissing,
    LeftToTheRun,
    LinkRefused,
    LostTables,
    MfccError,
    NoPublishedIndex,
    NotACursor,
    NotAnUploadId,
    PlaylistImpossible,
    PublicationRefused,
    StoreError,
    TrackNotFound,
    VersionNotFound,
)
from mfcc_assets.pipeline.failure_words import words_for_failure
from mfcc_assets.texts import printable
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.i18n import language, translated
from mfcc_assets.web.programs import is_for_programs

_logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[MfccError], int], ...] = (
    (BlobNotFound, HTTPStatus.NOT_FOUND),
    (BlobNameError, HTTPStatus.NOT_FOUND),
    (DocumentNotFound, HTTPStatus.NOT_FOUND),
    (LeftToTheRun, HTTPStatus.NOT_FOUND),
    (NotACursor, HTTPStatus.NOT_FOUND),
    (NotAnUploadId, HTTPStatus.NOT_FOUND),
    (TrackNotFound, HTTPStatus.NOT_FOUND),
    (VersionNotFound, HTTPStatus.NOT_FOUND),
    (LinkRefused, HTTPStatus.FORBIDDEN),
    (Conflict, HTTPStatus.CONFLICT),
    (AudioError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FeaturesMissing, HTTPStatus.CONFLICT),
    (PlaylistImpossible, HTTPStatus.CONFLICT),
    (PublicationRefused, HTTPStatus.CONFLICT),
    (CorruptIndex, HTTPStatus.SERVICE_UNAVAILABLE),
    (NoPublishedIndex, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""Status of each error. The first line that fits an error decides."""

PROBLEM = "application/problem+json"
"""Type of a problem, as RFC 9457 names it."""

_RETRY_SECONDS = "5"

_PLACE = re.compile(r"<(?:[^<>:]*:)?([^<>:]+)>")
"""A place for a value in a route."""

_SECRET_PLACES = frozenset({"token", "upload"})
"""Places whose values are shown to nobody, because whoever knows one may see an upload or a shared answer."""


def tell_errors(app: Flask) -> None:
    """Let the app answer errors with a page or with a problem. Neither tells paths, addresses or code."""

    @app.errorhandler(MfccError)
    def tell_ours(error: MfccError) -> Response:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # The message may name files of the machine. Its owner finds it in the log.
            _logger.error("%s %s failed: %s", request.method, _logged_address(), printable(str(error)))
            return _told(status, {}, _advice(error) if is_for_programs() or wants_json() else "")
        if language() != "en" and not (is_for_programs() or wants_json()):
            # The message is English. The page has advice for the status.
            return _told(status, {}, translated(words_for_failure(error.code)) if isinstance(error, AudioError) else "")
        said = " ".join(f"{part[0].upper()}{part[1:]}." for part in (error.what, error.remedy) if part)
        return _told(status, {}, printable(said))

    @app.errorhandler(SecurityError)
    def tell_foreign_host(_error: SecurityError) -> Response:
        # No address of this site can be made for such a request, so there is no page for it either.
        said = "This site is not known by this name. Its owner can allow the name with MFCC_WEB_TRUSTED_HOSTS."
        if is_for_programs():
            return problem(HTTPStatus.BAD_REQUEST, said)
        return Response(said, HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8")

    @app.errorhandler(HTTPException)
    def tell_http(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        if error.response is not None:
            # A redirection is no failure, and a response that was made for this error is the answer.
            return make_response(error.get_response())
        ours = error.description if error.description != type(error).description else None
        return _told(status, _headers_of(error), ours or (_said_to_programs(status) if is_for_programs() else ""))

    @app.errorhandler(Exception)
    def tell_unforeseen(error: Exception) -> Response:
        _logger.error("%s %s failed", request.method, _logged_address(), exc_info=error)
        return _told(HTTPStatus.INTERNAL_SERVER_ERROR, {})


def _advice(error: MfccError) -> str:
    """Return what a program is told of a fault of the library: what its owner can do, and no path or address."""
    if isinstance(error, LostTables):
        return _("The database has lost the soundtracks. Its owner reads them in again with `mfcc sync`.")
    if isinstance(error, NoPublishedIndex):
        return _(
            "The library has no index yet, so nothing can be compared. Its owner adds music with `mfcc add`, or waits"
            " until the run that builds the index is done. Then ask again."
        )
    if isinstance(error, CorruptIndex):
        return _("The index is damaged. The next run over the library builds it anew. The log of the server says more.")
    if isinstance(error, StoreError):
        return _("A store of the library does not answer. Try again later. The log of the server says more.")
    return ""


def _said_to_programs(status: int) -> str:
    """Return what a program is told of a request for which no part of the site has other words."""
    said = {
        HTTPStatus.BAD_REQUEST: _("The request cannot be read."),
        HTTPStatus.NOT_FOUND: _("Nothing is at this address. `/api/v1/openapi.json` describes all addresses."),
        HTTPStatus.METHOD_NOT_ALLOWED: _(
            "This address has no such method. The header `Allow` names those that it has."
        ),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("The body of the request is too large."),
        HTTPStatus.SERVICE_UNAVAILABLE: _("The server is busy. Try again in a few seconds."),
    }
    return said.get(HTTPStatus(status), "")


def wants_json() -> bool:
    """Return whether the request comes from a script or program that reads JSON, not a page."""
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"


def problem(status: int, said: str, **members: object) -> Response:
    """Return a response with a problem as RFC 9457 describes it.

    Parameters
    ----------
    status
        Status of the response.
    said
        What is wrong, in sentences; empty if the status says enough.
    members
        Further members of the problem.
    """
    response = jsonify(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=said, **members)
    response.status_code = status
    response.content_type = PROBLEM
    return response


def _logged_address() -> str:
    """Return the path of the request for the log, without what would let a reader of the log see an upload."""
    if request.url_rule is None:
        return "an address without a page"
    values = request.view_args or {}

    def shown(place: re.Match[str]) -> str:
        name = place[1]
        return f"<{name}>" if name in _SECRET_PLACES else printable(str(values.get(name, "")))

    return _PLACE.sub(shown, request.url_rule.rule)


def _headers_of(error: HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.get_headers() if not name.startswith("Content-")}


def _told(status: int, headers: Mapping[str, str], said: str = "") -> Response:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": _RETRY_SECONDS, **headers}
    if is_for_programs() or wants_json():
        response = problem(status, said)
    else:
        response = make_response(render_template("error.html", status=status, said=said))
        response.status_code = status
    response.headers.extend(headers)
    return response
