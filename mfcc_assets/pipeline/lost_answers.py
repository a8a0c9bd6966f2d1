"""Find the answered uploads whose recommendations went with a lost database."""

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument


def uploads_without_rows(library: Library) -> dict[UploadId, UploadDocument]:
    """Return the answered uploads whose recommendations the database does not have, with their documents.

    The result is empty until the database knows all soundtracks of the published index. An upload that is answered
    earlier would get recommendations from a part of the library. An upload whose answer is empty lacks nothing.
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
