"""Explain why a recommended track is near to an upload, whether or not the upload is in the library."""

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import ExplainedPair, PairedTrack, explain_query
from mfcc_assets.pipeline.file_answer import Preview, search_for_file
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.pair_sentences import words_of
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import features_of_upload
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import Soundtrack


def explain_upload(
    library: Library,
    opened: OpenedIndex,
    stored: Document,
    track: Soundtrack,
    *,
    preview: Preview | None = None,
) -> ExplainedPair:
    """Explain how near a soundtrack is to an upload. The upload is the first of the pair.

    Parameters
    ----------
    library
        The library.
    opened
        The index that answered the upload, or the published one.
    stored
        Document of the upload.
    track
        A soundtrack of the index.
    preview
        The preview of the answer, if the caller still has it. Its features are used until a run has stored those of
        the upload. Without it, the file is analysed again until then.

    Raises
    ------
    BlobNotFound
        If the file of the upload is needed and gone.
    FeaturesMissing
        If the soundtrack is not in the index, or its stored features are damaged.
    AudioError
        If the file has to be analysed and cannot be used.
    LeftToTheRun
        If it has to be analysed and is too long for that while a listener waits.
    """
    index = opened.index
    document = UploadDocument.of(stored.body)
    file = features_of_upload(library, index, document, preview)
    recognised = document.recognised or (preview.answer.recognised if preview else None)
    same: set[AudioId] = {file.audio_id, *(recognised.audio_ids if recognised else ())}
    search = search_for_file(library, index, file, opened.recordings.copies(same))
    title = recognised.title if recognised else ""
    query = PairedTrack(
        UploadId(stored.id),
        title,
        recognised.artist if recognised else "",
        title or document.file_name,
        file.seconds,
        file.track_features.contour,
        ContourTimes.of(file.cepstra, index.parameters.features, seconds=file.seconds),
        words_of(library, index, file.cepstra),
    )
    return explain_query(library, index, query, search, track)
