"""Answers of requests as JSON, with tags, so that a program is sent only what it does not have yet."""

import hashlib
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel

from mfcc_assets.web.api.models import ListPage

JSON = "application/json"


def reply(model: BaseModel, status: int = HTTPStatus.OK) -> Response:
    """Return a model as a response. To a question it has an ETag; if the caller has the same already, it is a 304."""
    body = model.model_dump_json(by_alias=True).encode()
    response = Response(body, status, content_type=JSON)
    if request.method in ("GET", "HEAD"):
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest())
        response.vary.update(("Authorization", "Cookie"))
        response.make_conditional(request)
    return response


def page_reply(page: ListPage) -> Response:
    """Return a page of a list as a response, with the address of the next page in ``Link``."""
    response = reply(page)
    if page.after is not None:
        asked = [(name, value) for name, value in request.args.items() if name != "after"]
        response.headers["Link"] = f'<{request.path}?{urlencode([*asked, ("after", page.after)])}>; rel="next"'
    return response
