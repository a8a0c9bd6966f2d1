"""The Functions app returns uploads as JSON. The platform admits only callers that Entra has authenticated."""

import json
import logging
from collections.abc import Callable
from functools import cache

import azure.functions as func

from mfcc_assets.errors import DocumentNotFound, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_view import Presented, latest_upload, upload_with_id

RETRY_AFTER_SECONDS = 30
"""Time after which a caller should try again. A paused serverless database takes up to a minute to resume."""

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
open_library = cache(Library)


@app.route("uploads/latest", methods=["GET"])
def latest(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it under this name
    """Return the upload that was received last, with a link to it. Soon another upload may be the last one."""
    return _answer(latest_upload)


@app.route("uploads/{id}", methods=["GET"])
def upload(req: func.HttpRequest) -> func.HttpResponse:
    """Return the upload with the id that its listener received."""
    return _answer(lambda library: upload_with_id(library, req.route_params["id"]))


def _answer(find: Callable[[Library], Presented | None]) -> func.HttpResponse:
    try:
        found = find(open_library())
    except DocumentNotFound:
        return _json({"error": "There is no such upload."}, 404)
    except StoreError:
        logging.exception("A store does not answer.")
        later = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return _json({"error": "The library does not answer at the moment. Try again."}, 503, later)
    if found is None:
        return _json({"error": "Nothing has been uploaded yet."}, 404)
    return _json(found, 200, {"Link": f'</api/uploads/{found["id"]}>; rel="canonical"'})


def _json(content: Presented, status: int, headers: dict[str, str] | None = None) -> func.HttpResponse:
    # Anybody who holds a link can open it, so no cache on the way may keep the response.
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    return func.HttpResponse(json.dumps(content), status_code=status, mimetype="application/json", headers=all_headers)
