"""The features of an upload, wherever they are now."""

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import AnalysedFile, Preview, analysed_file
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_file import opened_upload
from mfcc_assets.search.index import LibraryIndex


def features_of_upload(
    library: Library, index: LibraryIndex, upload: UploadId, document: UploadDocument, preview: Preview | None
) -> AnalysedFile:
    """Return the features of an upload with the parameters of an index: stored ones, those of a preview, or new ones.

    Stored features may be missing after the analysis, too: another upload of the same audio may have been purged, or
    another index may have other parameters.

    Raises
    ------
    BlobNotFound
        If the file is needed and gone.
    AudioError
        If the file has to be analysed and cannot be used.
    """
    parameters = index.parameters.features
    if document.audio_id is not None:
        try:
            cepstra = library.features.read_cepstra(document.audio_id, parameters.cepstra)
            track_features = library.features.read_track_features(document.audio_id, parameters)
        except FeaturesMissing:
            pass
        else:
            seconds = document.seconds or len(cepstra) * parameters.cepstra.step_seconds
            return AnalysedFile(document.audio_id, seconds, document.note or "", cepstra, track_features, parameters)
    if preview is not None and preview.file.parameters == parameters:
        return preview.file
    with opened_upload(library, upload) as file:
        return analysed_file(library, file.path, parameters, file.file_name)
