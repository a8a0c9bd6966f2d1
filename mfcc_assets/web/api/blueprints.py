"""Everything of this room that an app needs."""

from functools import cache
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import TooManyRequests

from mfcc_assets.library import Library
from mfcc_assets.web.api import health, indexes, latest, lists, mixes, tracks, uploads  # noqa: F401  they add theirs
from mfcc_assets.web.api.document import describe
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.keys import key_of_request
from mfcc_assets.web.security.rate import Rate
from mfcc_assets.web.site import site

_NAME = "mfcc_api"


def add_api(app: Flask, library: Library) -> None:
    """Add the addresses for programs to an app."""
    app.extensions[_NAME] = Rate(f"{library.settings.web_requests_per_minute} per minute")
    app.register_blueprint(api.blueprint)


@api.blueprint.before_request
def count() -> None:
    """Refuse requests of a key, or of an address without one, that asks too often."""
    key = key_of_request(site().library)
    rate: Rate = current_app.extensions[_NAME]
    if wait := rate.take(f"key {key.key_id}" if key else request.remote_addr or ""):
        raise TooManyRequests(_("You ask very often. Try again later."), retry_after=wait)


@api.blueprint.get("/api/v1/openapi.json")
def description() -> Response:
    """Send the description of these addresses."""
    response = jsonify(document())
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@cache
def document() -> dict[str, Any]:
    """Return the description of these addresses as a JSON object."""
    return describe(api.every)
