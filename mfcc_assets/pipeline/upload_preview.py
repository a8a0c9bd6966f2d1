"""The answer to an upload at once, before a run has recorded it."""

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import Preview, preview_answer
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_file import opened_upload
from mfcc_assets.pipeline.upload_state import upload_state


def preview_upload(library: Library, opened: OpenedIndex, upload: UploadId) -> Preview:
    """Answer an upload at once, with the list that the run will record. Nothing is stored.

    See `mfcc_assets.pipeline.file_answer.preview_answer` for what is left to the run.

    Raises
    ------
    DocumentNotFound, BlobNotFound
        If there is no such upload, or its file is gone.
    AudioError
        If the file cannot be used. The run will record the same reason.
    LeftToTheRun
        If its audio is too long to answer it at once.
    NoPublishedIndex, CorruptIndex
        If the index cannot be used, or the database does not know its tracks.
    """
    document = UploadDocument.of(upload_state(library, upload).body)
    with opened_upload(library, document) as file:
        return preview_answer(library, opened, file.path, file.file_name)
