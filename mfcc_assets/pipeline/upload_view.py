"""What a caller is told of an upload: its document, its recommendations, and links that end soon."""

from typing import Any

from mfcc_assets.library import Library
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import Recommended

Presented = dict[str, Any]
"""An upload as JSON holds it."""


def latest_upload(library: Library) -> Presented | None:
    """The upload received last, or None if there is none. Of two listeners at once, one is told of the other's."""
    document = library.documents.latest()
    return None if document is None else _presented(library, document)


def upload_with_id(library: Library, upload: str) -> Presented:
    """One upload. Raises `DocumentNotFound` if there is no such upload."""
    return _presented(library, library.documents.get(upload))


def _presented(library: Library, document: Document) -> Presented:
    body, seconds = document.body, library.settings.link_seconds
    who = body.get("recognised")
    return {
        "id": document.id,
        "state": body["state"],
        "received": body["received"],
        "file_name": body["file_name"],
        "recognised": who and {name: who[name] for name in ("title", "artist", "by")},
        "recognition_failures": body.get("recognition_failures", []),
        "failure": body.get("failure"),
        "index_version": body.get("index_version"),
        "recall": body.get("recall"),
        "links_end_after_seconds": seconds,
        "recommendations": [_place(library, row, seconds) for row in library.recommendations.recommended(document.id)],
    }


def _place(library: Library, row: Recommended, seconds: int) -> Presented:
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
