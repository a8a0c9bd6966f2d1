"""Uploads for callers of the older interface, which has no version in its addresses."""

from flask import Response, abort, jsonify

from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.upload_page import latest_upload_of
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.pipeline.upload_view import Presented, presented_upload
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.upload_models import OlderUpload
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.keys import key_of_request
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.my_uploads import is_known, is_mine
from mfcc_assets.web.uploads.room import room

_TAG = "older interface"


@api.get("/api/uploads/latest", tag=_TAG, answer=OlderUpload, problems=(404,), may_be_kept=False)
def get_latest_upload() -> Response:
    """Get the upload that this caller has sent last. With the key of an operator, it is the last one of all callers."""
    library, key = site().library, key_of_request(site().library)
    lately = room().admission.lately_stored()
    found: Presented | None = None
    if key is not None and key.is_operator:
        found = latest_upload_of(library, lambda _: True, lately)
    elif is_known():
        found = latest_upload_of(library, is_mine, list(filter(is_mine, lately)))
    if found is None:
        abort(404, _("Nothing has been uploaded yet."))
    return _presented(found)


@api.get("/api/uploads/{upload_id}", tag=_TAG, answer=OlderUpload, may_be_kept=False)
def get_older_upload(upload_id: str) -> Response:
    """Get an upload and its recorded answer. The links in it end soon."""
    return _presented(presented_upload(site().library, upload_state(site().library, UploadId(upload_id))))


def _presented(found: Presented) -> Response:
    response = jsonify(found)
    response.headers["Link"] = f'</api/uploads/{found["id"]}>; rel="canonical"'
    # Anybody who holds a link can open it, so no cache on the way may keep the response.
    response.headers["Cache-Control"] = "no-store"
    return response
