"""What all requests of this room share: what comes, what is answered at once, and who is told of news."""

from collections.abc import Collection, Mapping

from flask import Flask, current_app

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.web.security.places import Places
from mfcc_assets.web.uploads.admission import Admission
from mfcc_assets.web.uploads.news import News, Watch, news_of
from mfcc_assets.web.uploads.previews import Previews

_NAME = "mfcc_uploads"

_MOST_STREAMS_OF_A_SENDER = 8
"""Pages of one sender that are told of news at once. Its others ask every few seconds."""

_LOCAL_SECONDS, _REMOTE_SECONDS = 0.5, 1.5
"""Time between two looks at the uploads that are watched. Each look at a remote store costs something."""


class Room:
    """What the requests of one app share about uploads. They find the library and its index in the site.

    Parameters
    ----------
    library
        The library that takes and answers the uploads.
    published
        Its published index.
    """

    def __init__(self, library: Library, published: PublishedIndex) -> None:
        seconds = _LOCAL_SECONDS if library.settings.profile == "local" else _REMOTE_SECONDS
        self._library = library
        self.admission = Admission(library)
        self.watch = Watch(self._read_news, seconds)
        self.previews = Previews(library, published, self.watch.hurry)
        self.streams = Places(library.settings.web_streams, _MOST_STREAMS_OF_A_SENDER)

    def news(self, stored: Document) -> News:
        """Return the news of one upload, given its document."""
        return news_of(stored, self._shown(stored))

    def begin_missing_preview(self, stored: Document) -> None:
        """Begin the preview of an upload that was sent in another way, or before this process began."""
        news = self.news(stored)
        if news.shown in ("none", "candidates") and not news.is_last:
            self.previews.begin(UploadId(stored.id))

    def _read_news(self, uploads: Collection[UploadId]) -> Mapping[UploadId, News]:
        documents = self._library.documents.get_many(uploads)
        found: dict[UploadId, News] = {}
        for upload in uploads:
            try:
                # Nothing may have written a document of an upload that has just come.
                stored = documents.get(upload) or upload_state(self._library, upload)
            except DocumentNotFound:
                continue
            found[upload] = news_of(stored, self._shown(stored))
        return found

    def _shown(self, stored: Document) -> str:
        state = stored.body["state"]
        if state == State.RANKED:
            return "recorded"
        outcome = self.previews.get(UploadId(stored.id))
        if state == State.FAILED or (outcome and outcome.failure):
            return "failed"
        if outcome and outcome.preview:
            return "preview"
        if state == State.CANDIDATES:
            return "candidates"
        return "long" if outcome and outcome.is_long else "none"


def open_room(app: Flask, opened: Room) -> None:
    """Let the requests of an app find the room."""
    app.extensions[_NAME] = opened


def room_of(app: Flask) -> Room:
    """Return the room of an app."""
    found: Room = app.extensions[_NAME]
    return found


def room() -> Room:
    """Return the room of the request."""
    return room_of(current_app)
