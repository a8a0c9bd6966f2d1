"""An upload as its page shows it: from the moment its file has come, with how near its recommendations are."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from itertools import islice

from mfcc_assets.errors import CorruptIndex, DocumentNotFound
from mfcc_assets.ids import TrackId, UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.nearness import nearness_record
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.pipeline.shares import shared_until
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.pipeline.upload_view import Presented, described_upload, presented_upload
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.documents.port import Document

_MOST_SEARCHED = 1000
"""Uploads that are looked through for the last one of a sender."""

SHOWN_CANDIDATES = 5
"""Number of candidates that are shown while they are ranked."""


def page_of_upload(library: Library, published: PublishedIndex, stored: Document) -> Presented:
    """Return an upload for its page, given its document.

    It has the members of `mfcc_assets.pipeline.upload_view.described_upload`, and ``features_version``,
    ``recommendations``, ``candidates`` while they are ranked, and ``shared_until``. Each recommendation has its
    ``rank``, ``track_id`` and ``distance``, and ``closer_than``, ``nearness`` and ``nearness_bar``, the length of a bar
    from 0 to 1. The last three are None if the index that answered is gone. Each candidate has its ``track_id``.
    """
    shown, upload = _described(stored), UploadId(stored.id)
    version = shown["index_version"]
    opened = published.of_version(version) if version else None
    rows = library.recommendations.recommended(upload)
    pairs = opened.pairs if opened and rows else None
    return {
        **shown,
        "features_version": opened.index.parameters.features.version if opened else None,
        "recommendations": [
            _recommended(row.track_id, row.rank, row.distance, pairs.nearness(row.distance) if pairs else None)
            for row in rows
        ],
        "candidates": upload_candidates(library, upload, version) if shown["state"] == State.CANDIDATES else [],
    }


def page_of_preview(published: PublishedIndex, stored: Document, preview: Preview) -> Presented:
    """Return an upload for its page before a run has recorded its answer, with the members of `page_of_upload`.

    The state stays that of the upload, so that the page can tell a preview from a recorded answer.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If the index went after the preview was made.
    """
    opened = published.opened()
    answer, recognised = preview.answer, preview.answer.recognised
    return {
        **_described(stored),
        "seconds": preview.file.seconds,
        "note": preview.file.note,
        "recognised": recognised and {"title": recognised.title, "artist": recognised.artist, "by": recognised.by},
        "index_version": answer.index_version,
        "features_version": opened.index.parameters.features.version,
        "ranking": opened.index.parameters.ranking,
        "indexed_tracks": answer.coverage.indexed,
        "library_tracks": answer.coverage.expected,
        "recall": answer.recall,
        "candidates": [],
        "recommendations": [
            _recommended(found.track_id, found.rank, found.distance, nearness)
            for found, nearness in zip(answer.recommendations, answer.nearness, strict=True)
        ],
    }


def latest_upload_of(
    library: Library, belongs: Callable[[UploadId], bool], lately_sent: Collection[UploadId] = ()
) -> Presented | None:
    """Return the upload of one sender that was received last; None if there is none among the last 1,000 uploads.

    It has the members of `mfcc_assets.pipeline.upload_view.presented_upload`.

    Parameters
    ----------
    library
        The library.
    belongs
        Function that tells whether the sender has sent an upload.
    lately_sent
        Uploads of the sender of which nothing may have written a document yet.
    """
    found: list[Document] = []
    for upload in lately_sent:
        with suppress(DocumentNotFound):
            found.append(upload_state(library, upload))
    recorded = islice(library.documents.find(), _MOST_SEARCHED)
    found += islice((each for each in recorded if belongs(UploadId(each.id))), 1)
    stored = max(found, key=lambda each: datetime.fromisoformat(each.body["received"]), default=None)
    return None if stored is None else presented_upload(library, stored)


def upload_candidates(library: Library, upload: UploadId, index_version: str) -> list[Presented]:
    """Return the first candidates of an upload, for the time while they are ranked."""
    try:
        found = library.rankings.read_upload("candidates", index_version, upload)
    except CorruptIndex:
        return []  # the run will say so, and they are only shown for a moment
    first = [audio_id for audio_id, _ in (found or [])[:SHOWN_CANDIDATES]]
    tracks = library.catalogue.tracks_of_audio(first)
    return [{"track_id": tracks[audio_id].track_id} for audio_id in first if audio_id in tracks]


def _described(stored: Document) -> Presented:
    until = shared_until(stored.body)
    return {**described_upload(stored), "shared_until": until and until.isoformat()}


def _recommended(track_id: TrackId, rank: int, distance: float, nearness: Nearness | None) -> Presented:
    bar = None if nearness is None else nearness.bar
    told = {**nearness_record(nearness), "nearness_bar": bar}
    return {"rank": rank, "track_id": track_id, "distance": distance, **told}
