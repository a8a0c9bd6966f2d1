"""Detect that the database was lost beside a published index, and the uploads whose recommendations went with it."""

from mfcc_assets.errors import LostTables
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.similarity.pairwise import evenly_spaced

_SAMPLE = 50
"""Number of tracks of an index that are looked for."""


def check_tables(library: Library) -> None:
    """Check that the database knows the soundtracks of the published index.

    Raises
    ------
    LostTables
        If the index has tracks, and the database knows none of a sample of them.
    CorruptIndex
        If the index, or the pointer to it, is damaged.
    """
    if library.indexes.published_version() is None:
        return
    index = library.indexes.published()
    sample = [index.tracks.audio_ids[row] for row in evenly_spaced(len(index.tracks), _SAMPLE).tolist()]
    if sample and not library.catalogue.tracks_of_audio(sample):
        raise LostTables(
            f"the database has none of the soundtracks of index {index.version}, which names {len(index.tracks)}",
            subject=library.database.name,
            remedy="`mfcc add` without a path reads all soundtracks in again",
        )


def uploads_without_rows(library: Library) -> dict[UploadId, UploadDocument]:
    """Return the answered uploads whose recommendations the database does not have, with their documents.

    There is none until the database knows all soundtracks of the published index. An upload that is answered earlier
    would get recommendations from a part of the library. An upload whose answer is empty lacks nothing.
    """
    answered = [UploadId(upload) for upload in library.documents.ids(State.RANKED.value)]
    without = set(answered) - library.recommendations.with_rows(answered)
    stored = {upload: library.documents.get_or_none(upload) for upload in sorted(without)}
    documents = {upload: UploadDocument.of(found.body) for upload, found in stored.items() if found is not None}
    lacking = {upload: document for upload, document in documents.items() if document.recommendations}
    index = library.indexes.published_if_usable() if lacking else None
    if index is None or not index.tracks:
        return {}
    return lacking if set(index.tracks.audio_ids) <= library.catalogue.track_ids_by_audio().keys() else {}
