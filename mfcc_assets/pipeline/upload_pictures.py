"""Pictures of an upload, drawn when they are asked for. Nothing is stored."""

from enum import StrEnum

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.track_pictures import PICTURES, picture_of_file
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import features_of_upload
from mfcc_assets.pipeline.upload_file import opened_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.plots.tracks import heat_map


class UploadPicture(StrEnum):
    """The pictures of an upload."""

    WAVEFORM = "waveform"
    SPECTRUM = "spectrum"
    SPECTROGRAM = "spectrogram"
    CEPSTRA = "cepstra"


def picture_of_upload(
    library: Library, opened: OpenedIndex, upload: UploadId, picture: UploadPicture, *, preview: Preview | None = None
) -> bytes:
    """Draw one picture of an upload, as a PNG: its cepstra, or the waveform, spectrum or spectrogram of its beginning.

    Parameters
    ----------
    library
        The library.
    opened
        The published index, whose parameters the cepstra have.
    upload
        Id of the upload.
    picture
        The picture.
    preview
        The preview of the answer, if the caller still has it: see `mfcc_assets.pipeline.explain_upload`.

    Raises
    ------
    DocumentNotFound, BlobNotFound
        If there is no such upload, or its file is gone.
    AudioError
        If the file cannot be used.
    """
    if picture is UploadPicture.CEPSTRA:
        document = UploadDocument.of(upload_state(library, upload).body)
        features = features_of_upload(library, opened.index, upload, document, preview)
        return heat_map(features.cepstra, document.file_name)
    with opened_upload(library, upload) as file:
        return picture_of_file(file.path, file.file_name, PICTURES[picture.value.title()])
