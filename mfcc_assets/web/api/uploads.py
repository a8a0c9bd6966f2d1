"""Uploads for programs: send a file, watch it, get its answer, and delete it."""

from http import HTTPStatus
from typing import Any

from flask import Response

from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.upload_pages import uploads_page
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.pipeline.upload_view import described_upload
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.replies import reply
from mfcc_assets.web.api.track_models import Near, Track, Why
from mfcc_assets.web.api.upload_models import (
    Created,
    ListedUpload,
    NameQuery,
    Upload,
    UploadPage,
    UploadProgress,
    UploadsQuery,
)
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.security.keys import key_of_request
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.bodies import raw_body
from mfcc_assets.web.uploads.events import event_stream
from mfcc_assets.web.uploads.explaining import explained
from mfcc_assets.web.uploads.my_uploads import is_known, is_mine
from mfcc_assets.web.uploads.receiving import taken_upload
from mfcc_assets.web.uploads.room import room
from mfcc_assets.web.uploads.sharing import delete_mine
from mfcc_assets.web.uploads.shown_upload import ShownUpload, shown_upload

_TAG = "uploads"
_FILES = ("application/octet-stream", "audio/*")
_REFUSALS = (400, 408, 411, 413, 415, 507)
_CREATES: dict[str, Any] = {
    "tag": _TAG, "query": NameQuery, "body": _FILES, "answer": Created, "status": HTTPStatus.CREATED,
    "problems": _REFUSALS,
}  # fmt: skip
_AS_ON_THE_PAGE = (
    "received", "file_name", "seconds", "note", "recognised", "index_version", "ranking", "indexed_tracks",
    "library_tracks", "recall",
)  # fmt: skip
"""Members of an upload that programs get as its page has them."""


@api.operation("POST", "/api/v1/uploads", **_CREATES)
@api.operation("PUT", "/api/v1/uploads", **_CREATES)
def create_upload(query: NameQuery) -> Response:  # noqa: ARG001  it is checked, and read where the file is stored
    """Send a file as the body of the request.

    Its answer comes at the address of the upload. It belongs to the key that sent it, or to the browser.
    """
    upload = taken_upload(raw_body)
    address = f"/api/v1/uploads/{upload}"
    response = reply(Created(upload_id=upload, address=address), HTTPStatus.CREATED)
    response.headers["Location"] = address
    return response


@api.get("/api/v1/uploads", tag=_TAG, query=UploadsQuery, answer=UploadPage, problems=(404,))
def list_uploads(query: UploadsQuery) -> UploadPage:
    """List the uploads of this caller, the last received first.

    With the key of an operator, they are those of all callers. Without a key, they are those of the browser.
    """
    library, key = site().library, key_of_request(site().library)
    sees_all = key is not None and key.is_operator
    if not sees_all and not is_known():
        return UploadPage(items=[], after=None)
    page = uploads_page(
        library,
        (lambda _: True) if sees_all else is_mine,
        after=query.after,
        size=query.limit,
        lately_sent=room().admission.lately_stored(),
    )
    return UploadPage(items=[_listed(UploadId(stored.id), stored) for stored in page.items], after=page.after)


@api.get("/api/v1/uploads/{upload_id}", tag=_TAG, answer=Upload)
def get_upload(upload_id: str) -> Upload:
    """Get an upload and its answer, as far as it is there."""
    upload = UploadId(upload_id)
    stored = upload_state(site().library, upload)
    room().begin_missing_preview(stored)
    return _upload(upload, shown_upload(stored, address_of(upload), is_mine=is_mine(upload)))


@api.get("/api/v1/uploads/{upload_id}/state", tag=_TAG, answer=UploadProgress)
def get_upload_state(upload_id: str) -> UploadProgress:
    """Get how far an upload is."""
    stored = upload_state(site().library, UploadId(upload_id))
    room().begin_missing_preview(stored)
    news = room().news(stored)
    return UploadProgress.model_validate(
        {"upload_id": upload_id, "state": news.state, "shown": news.shown, "is_last": news.is_last}
    )


@api.get("/api/v1/uploads/{upload_id}/events", tag=_TAG, answer="text/event-stream")
def watch_upload(upload_id: str) -> Response:
    """Watch an upload by server-sent events.

    A stream ends after 25 seconds; open another with `Last-Event-ID`. Without a free place for it, the answer is 503,
    and the state can be asked for instead.
    """
    return event_stream(UploadId(upload_id))


@api.get("/api/v1/uploads/{upload_id}/why/{track_id}", tag=_TAG, answer=Why, problems=(409, 422))
def explain_upload(upload_id: str, track_id: str) -> Why:
    """Explain why a track is near to an upload."""
    stored = upload_state(site().library, UploadId(upload_id))
    return Why.of(explained(stored, track_or_404(track_id)))


@api.operation("DELETE", "/api/v1/uploads/{upload_id}", tag=_TAG, status=HTTPStatus.NO_CONTENT, problems=(403,))
def delete_upload(upload_id: str) -> Response:
    """Delete an upload with everything that was made from it. Only the key or the browser that sent it may do so."""
    delete_mine(UploadId(upload_id))
    return Response(status=HTTPStatus.NO_CONTENT)


def _listed(upload: UploadId, stored: Document) -> ListedUpload:
    described = described_upload(stored)
    return ListedUpload.model_validate(
        {
            "upload_id": upload,
            "address": f"/api/v1/uploads/{upload}",
            "is_mine": is_mine(upload),
            **{name: described[name] for name in ("state", "received", "file_name", "seconds", "recognised")},
        }
    )


def _upload(upload: UploadId, shown: ShownUpload) -> Upload:
    page = shown.page
    ranks = {each["track_id"]: each["rank"] for each in page["recommendations"]}
    return Upload.model_validate(
        {
            "upload_id": upload,
            "state": shown.news.state,
            "shown": shown.news.shown,
            "is_last": shown.news.is_last,
            "is_mine": shown.is_mine,
            "recognition_failures": [{"by": each["by"]} for each in page["recognition_failures"]],
            "failure": {"code": _code(upload, shown), "words": shown.failure} if shown.failure else None,
            "recommendations": [
                Near.of_track(card, card.distance or 0.0, card.nearness).model_dump() | {"rank": ranks[card.track_id]}
                for card in shown.recommendations
            ],
            "candidates": [Track.of(card) for card in shown.candidates],
            **{name: page[name] for name in _AS_ON_THE_PAGE},
        }
    )


def _code(upload: UploadId, shown: ShownUpload) -> str:
    if shown.page["failure"]:
        return str(shown.page["failure"]["code"])
    outcome = room().previews.get(upload)
    return outcome.failure if outcome else ""
