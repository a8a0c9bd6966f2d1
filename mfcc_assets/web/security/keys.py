"""The key with which a program asks, in the header ``Authorization: Bearer KEY``."""

from http import HTTPStatus

from flask import Flask, abort, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import ApiKey, key_of_text
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.programs import is_for_programs
from mfcc_assets.web.security.wrong_keys import count_wrong_keys, looked_at


def key_of_request(library: Library) -> ApiKey | None:
    """Return the key that the request carries; None if it carries none, or one that opens nothing.

    Answers the request with 429 if its address has sent too many wrong keys.
    """
    if "api_key" not in g:
        sent = request.authorization
        text = sent.token if sent is not None and sent.type == "bearer" else None
        g.api_key = None  # also if the request is refused, and its refusal is then written
        if text and _has_named_user(library):
            g.api_key = key_of_text(library, text)
        elif text:
            g.api_key = looked_at(text, lambda: key_of_text(library, text))
    found: ApiKey | None = g.api_key
    return found


def unauthorized(said: str) -> Unauthorized:
    """Return the refusal of a request that needs a key."""
    return Unauthorized(said, www_authenticate=WWWAuthenticate("bearer", {"realm": "mfcc"}))


def refuse_wrong_keys(app: Flask, library: Library) -> None:
    """Refuse requests for programs with a key that opens nothing, which would else be taken for requests without one.

    A proxy that logs users in may put a token of its own into the same header. Then the user that it names counts.
    """
    count_wrong_keys(app)

    @app.before_request
    def refuse() -> None:
        if not is_for_programs() or _has_named_user(library) or "Authorization" not in request.headers:
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


def _has_named_user(library: Library) -> bool:
    """Return whether a proxy names a user. Then a token in the request may be one of the proxy's own."""
    settings = library.settings
    return settings.web_login == "header" and bool(request.headers.get(settings.web_login_header))
