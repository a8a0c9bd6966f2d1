"""Pictures of an upload, drawn when they are asked for. Nothing is stored."""

from enum import StrEnum

from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.track_pictures import PICTURES, picture_of_file
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import features_of_upload
from mfcc_assets.pipeline.upload_file import opened_upload
from mfcc_assets.plots.tracks import heat_map
from mfcc_assets.storage.documents.port import Document


class UploadPicture(StrEnum):
    """The pictures of an upload."""

    WAVEFORM = "waveform"
    SPECTRUM = "spectrum"
    SPECTROGRAM = "spectrogram"
    CEPSTRA = "cepstra"


def picture_of_upload(
    library: Library, opened: OpenedIndex, stored: Document, picture: UploadPicture, *, preview: Preview | None = None
) -> bytes:
    """Draw one picture of an upload, as a PNG: its cepstra, or the waveform, spectrum or spectrogram of its beginning.

    It has no title and no words, so that a page can say in any language what it shows.

    Parameters
    ----------
    library
        The library.
    opened
        The index that answered the upload, or the published one. The cepstra have its parameters.
    stored
        Document of the upload.
    picture
        The picture.
    preview
        The preview of the answer, if the caller still has it: see `mfcc_assets.pipeline.explain_upload`.

    Raises
    ------
    BlobNotFound
        If its file is gone.
    AudioError
        If the file cannot be used.
    LeftToTheRun
        If it has to be analysed for its cepstra and is too long for that while a listener waits.
    """
    document = UploadDocument.of(stored.body)
    if picture is UploadPicture.CEPSTRA:
        return heat_map(features_of_upload(library, opened.index, document, preview).cepstra, "")
    with opened_upload(library, document) as file:
        return picture_of_file(file.path, file.file_name, PICTURES[picture.value.title()])
