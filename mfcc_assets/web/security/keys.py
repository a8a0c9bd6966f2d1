"""The key with which a program asks, in the header ``Authorization: Bearer KEY``."""

from http import HTTPStatus

from flask import Flask, abort, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import ApiKey, key_of_text
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.programs import is_for_programs


def key_of_request(library: Library) -> ApiKey | None:
    """Return the key that the request carries; None if it carries none, or one that opens nothing."""
    if "api_key" not in g:
        sent = request.authorization
        is_bearer = sent is not None and sent.type == "bearer" and sent.token is not None
        g.api_key = key_of_text(library, sent.token) if is_bearer and sent and sent.token else None
    found: ApiKey | None = g.api_key
    return found


def unauthorized(said: str) -> Unauthorized:
    """Return the refusal of a request that needs a key."""
    return Unauthorized(said, www_authenticate=WWWAuthenticate("bearer", {"realm": "mfcc"}))


def refuse_wrong_keys(app: Flask, library: Library) -> None:
    """Refuse requests for programs with a key that opens nothing, which would else be taken for requests without one.

    A proxy that logs users in may put a token of its own into the same header. Then the user that it names counts.
    """
    login_header = library.settings.web_login_header

    @app.before_request
    def refuse() -> None:
        has_named_user = library.settings.web_login == "header" and bool(request.headers.get(login_header))
        if not is_for_programs() or has_named_user or "Authorization" not in request.headers:
            return
        if key_of_request(library) is None:
            raise unauthorized(_("This key opens nothing. It may have been revoked."))


def require_operator(library: Library) -> None:
    """Refuse a request without the key of an operator."""
    key = key_of_request(library)
    if key is None:
        raise unauthorized(_("This needs the key of an operator."))
    if not key.is_operator:
        abort(HTTPStatus.FORBIDDEN, _("This needs the key of an operator."))
