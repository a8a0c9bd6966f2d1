"""Explain why a recommended track is near to an upload, whether or not the upload is in the library."""

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import ExplainedPair
from mfcc_assets.pipeline.explain_file import explain_features
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import features_of_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.sql.records import Soundtrack


def explain_upload(
    library: Library,
    opened: OpenedIndex,
    upload: UploadId,
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
    upload
        Id of the upload.
    track
        A soundtrack of the index.
    preview
        The preview of the answer, if the caller still has it. Its features are used until a run has stored those of
        the upload. Without it, the file is analysed again until then.

    Raises
    ------
    DocumentNotFound, BlobNotFound
        If there is no such upload, or its file is needed and gone.
    FeaturesMissing
        If the soundtrack is not in the index, or its stored features are damaged.
    AudioError
        If the file has to be analysed and cannot be used.
    """
    document = UploadDocument.of(upload_state(library, upload).body)
    file = features_of_upload(library, opened.index, upload, document, preview)
    recognised = document.recognised or (preview.answer.recognised if preview else None)
    return explain_features(library, opened, file, recognised, track, file_name=document.file_name, query_id=upload)
