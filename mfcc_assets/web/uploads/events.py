"""News of an upload as server-sent events, which its page shows at once."""

import json
import time
from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, request

from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.news import News
from mfcc_assets.web.uploads.refusals import Refused
from mfcc_assets.web.uploads.room import Room, room

blueprint = Blueprint("events", __name__)

STREAM_SECONDS = 25.0
"""A stream ends after this time, and the page opens another. A server that is told to stop waits for open streams."""

BEAT_SECONDS = 10.0
"""Time between two signs of life. By writing them the server finds out that a page is gone."""

_RETRY_MILLISECONDS = 1000
_BUSY_SECONDS = 5


@blueprint.get("/uploads/<upload:upload>/events")
def events(upload: UploadId) -> Response:
    """Send news of an upload until the stream ends, each with its tag as the id of the event."""
    return event_stream(upload)


def event_stream(upload: UploadId) -> Response:
    """Return a response that tells the news of an upload, for which the server has a bounded number of places.

    Raises
    ------
    DocumentNotFound
        If there is no such upload.
    Refused
        If all places are taken.
    """
    here, known = room(), request.headers.get("Last-Event-ID", "")
    news = here.news(upload_state(site().library, upload))
    if news.is_last and news.tag == known:
        # A page that has seen the last news does not come again after this.
        return Response(status=HTTPStatus.NO_CONTENT)
    leave = here.streams.take(request.remote_addr or "")
    if leave is None:
        said = _("Many pages are open. This one asks for news every few seconds.")
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, said, retry_seconds=_BUSY_SECONDS)
    response = Response(_stream(here, upload, known), content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(leave)
    return response


def _stream(here: Room, upload: UploadId, known: str) -> Iterator[str]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n"
    ends, told = time.monotonic() + STREAM_SECONDS, set[str]()
    with here.watch.watching(upload):
        while (left := ends - time.monotonic()) > 0:
            news = here.watch.wait(upload, known, min(BEAT_SECONDS, left))
            if news is None:
                yield ": still here\n\n"
                continue
            known = news.tag
            yield from _told(news, told)
            if news.is_last:
                return


def _told(news: News, told: set[str]) -> Iterator[str]:
    """Tell the states that went by between two looks, too, so that a page shows every step."""
    for state in news.reached:
        if state not in told and state != news.state:
            yield _event({**news.record(), "tag": "", "state": state, "is_last": False}, "")
    told.update((*news.reached, news.state))
    yield _event(news.record(), news.tag)


def _event(data: object, tag: str) -> str:
    id_line = f"id: {tag}\n" if tag else ""
    return f"{id_line}event: news\ndata: {json.dumps(data)}\n\n"
