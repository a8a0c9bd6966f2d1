"""An upload as a caller sees it: its document, its recommendations, and links that expire soon.

This reads the documents, the database and the signatures of links alone, because the identity of the Functions app may
read nothing else. `mfcc_assets.pipeline.upload_page` adds what a page shows.
"""

from typing import Any

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.failure_words import words_for_failure
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.storage.blobs.port import ARTWORKS, SOUNDTRACKS
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import Soundtrack

Presented = dict[str, Any]
"""An upload, or a part of it, as a JSON object."""


def latest_upload(library: Library) -> Presented | None:
    """Return the upload received last; None if there is none.

    If two listeners upload at the same time, one of them sees the upload of the other.
    """
    stored = library.documents.latest()
    return None if stored is None else presented_upload(library, stored)


def upload_with_id(library: Library, upload: UploadId) -> Presented:
    """Return one upload.

    Raises
    ------
    DocumentNotFound
        If there is no such upload.
    """
    return presented_upload(library, library.documents.get(upload))


def presented_upload(library: Library, stored: Document) -> Presented:
    """Return an upload, given its document, as a JSON object."""
    rows = library.recommendations.recommended(UploadId(stored.id))
    tracks = library.catalogue.tracks_with_ids(row.track_id for row in rows)
    return {
        **described_upload(stored),
        "links_end_after_seconds": library.settings.link_seconds,
        "recommendations": [
            {"rank": row.rank, **_presented_track(library, tracks[row.track_id]), "distance": row.distance}
            for row in rows
            if row.track_id in tracks
        ],
    }


def described_upload(stored: Document) -> Presented:
    """Return what the document of an upload says of it, as a JSON object."""
    document = UploadDocument.of(stored.body)
    recognised, failure = document.recognised, document.failure
    return {
        "id": stored.id,
        "state": document.state.value,
        "received": document.received,
        "times": dict(document.times),
        "file_name": document.file_name,
        "seconds": document.seconds,
        "note": document.note,
        "recognised": recognised and {"title": recognised.title, "artist": recognised.artist, "by": recognised.by},
        "recognition_failures": [
            {"by": failed.by, "reason": failed.reason} for failed in document.recognition_failures
        ],
        "failure": failure
        and {"code": failure.code, "reason": failure.reason, "words": words_for_failure(failure.code)},
        "run_id": document.run_id,
        "index_version": document.index_version,
        "ranking": document.method,
        "indexed_tracks": document.indexed_tracks,
        "library_tracks": document.library_tracks,
        "recall": document.recall,
    }


def _presented_track(library: Library, track: Soundtrack) -> Presented:
    """Return a track as a JSON object, with links to its audio and its artwork."""
    seconds = library.settings.link_seconds
    return {
        "track_id": track.track_id,
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "year": track.year,
        "seconds": track.seconds,
        "soundtrack": library.blobs.link(SOUNDTRACKS, track.blob_name, seconds=seconds),
        "artwork": library.blobs.link(ARTWORKS, track.artwork, seconds=seconds),
    }
