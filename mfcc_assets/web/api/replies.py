"""Answers of requests as JSON, with tags, so that a program is sent only what it does not have yet."""

import hashlib
from http import HTTPStatus

from flask import Response, request
from pydantic import BaseModel

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
