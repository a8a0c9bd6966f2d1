"""An upload as a caller sees it: its document, its recommendations, and links that expire soon."""

from typing import Any

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import RecommendedSoundtrack

Presented = dict[str, Any]
"""An upload as a JSON object."""


def latest_upload(library: Library) -> Presented | None:
    """Return the upload received last; None if there is none.

    If two listeners upload at the same time, one of them sees the upload of the other.
    """
    stored = library.documents.latest()
    return None if stored is None else _presented(library, stored)


def upload_with_id(library: Library, upload: UploadId) -> Presented:
    """Return one upload.

    Raises
    ------
    DocumentNotFound
        If there is no such upload.
    """
    return _presented(library, library.documents.get(upload))


def _presented(library: Library, stored: Document) -> Presented:
    document, seconds = UploadDocument.of(stored.body), library.settings.link_seconds
    recognised, failure = document.recognised, document.failure
    return {
        "id": stored.id,
        "state": document.state.value,
        "received": document.received,
        "file_name": document.file_name,
        "recognised": recognised and {"title": recognised.title, "artist": recognised.artist, "by": recognised.by},
        "recognition_failures": [
            {"by": failed.by, "reason": failed.reason} for failed in document.recognition_failures
        ],
        "failure": failure and {"code": failure.code, "reason": failure.reason},
        "index_version": document.index_version,
        "indexed_tracks": document.indexed_tracks,
        "library_tracks": document.library_tracks,
        "recall": document.recall,
        "links_end_after_seconds": seconds,
        "recommendations": [
            _recommendation(library, row, seconds) for row in library.recommendations.recommended(UploadId(stored.id))
        ],
    }


def _recommendation(library: Library, row: RecommendedSoundtrack, seconds: int) -> Presented:
    return {
        "rank": row.rank,
        "track_id": row.track_id,
        "title": row.title,
        "artist": row.artist,
        "album": row.album,
        "seconds": row.seconds,
        "distance": row.distance,
        "soundtrack": library.blobs.link("soundtracks", row.blob_name, seconds=seconds),
        "artwork": library.blobs.link("artworks", row.artwork, seconds=seconds),
    }
