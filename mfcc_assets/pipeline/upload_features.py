"""The features of an upload, wherever they are now."""

from threading import Thread

from mfcc_assets.audio.child_process import start_child
from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.mfcc import warm_up
from mfcc_assets.features.waveform import Waveform
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import FileFeatures, Preview, features_at_once
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_file import opened_upload
from mfcc_assets.search.index import LibraryIndex


def features_of_upload(
    library: Library, index: LibraryIndex, document: UploadDocument, preview: Preview | None
) -> FileFeatures:
    """Return the features of an upload with the parameters of an index: stored ones, those of a preview, or new ones.

    Stored features may be missing after the analysis, too: another upload of the same audio may have been purged, or
    another index may have other parameters.

    Raises
    ------
    BlobNotFound
        If the file is needed and gone.
    AudioError
        If the file has to be analysed and cannot be used.
    LeftToTheRun
        If it has to be analysed and is too long for that while a listener waits.
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
            note = document.note or ""
            return FileFeatures(document.audio_id, seconds, note, cepstra, None, track_features, parameters)
    if preview is not None and preview.file.parameters == parameters:
        return preview.file
    with opened_upload(library, document) as file:
        return features_at_once(library, file.path, parameters, file.file_name)


def get_ready_to_analyse() -> None:
    """Begin what the first analysis of this process would wait for: a process that decodes, and compiled kernels."""
    start_child()
    Thread(target=warm_up, name="kernels", daemon=True).start()


def waveform_of_upload(library: Library, document: UploadDocument, preview: Preview | None) -> Waveform:
    """Return the waveform of an upload: that of its preview, or the stored one.

    Raises
    ------
    FeaturesMissing
        If the upload was not analysed yet, or its waveform is damaged.
    """
    if preview is not None and preview.file.waveform is not None:
        return preview.file.waveform
    if document.audio_id is None:
        raise FeaturesMissing("it was not analysed yet", subject=document.file_name, remedy="Wait for its answer")
    return library.features.read_waveform(document.audio_id)
