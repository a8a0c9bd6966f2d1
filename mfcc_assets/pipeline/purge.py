"""Remove everything that is stored of an upload, for example because the listener asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.ids import AudioId, UploadId, content_digest, upload_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answering_run import document_of
from mfcc_assets.pipeline.uploads import upload_files


@dataclass(frozen=True)
class Purged:
    """The things that were removed with an upload.

    Attributes
    ----------
    blobs
        Number of files: the upload itself and the copy that runs worked on.
    had_document
        True if the upload had a document.
    recommendations
        Number of recommendations.
    audio_id
        Audio whose features were removed; None if the upload was never analysed, or a soundtrack has the same audio.
    """

    blobs: int
    had_document: bool
    recommendations: int
    audio_id: AudioId | None


def purge_upload(library: Library, upload: UploadId) -> Purged:
    """Remove an upload: its files, its document, its rows, and the features of its audio.

    The features stay if a soundtrack of the library has the same audio. The document is removed last, so an interrupted
    purge can be repeated. Dagster's own events still name the file until they are deleted there.
    """
    document = document_of(library.documents, upload)
    audio_id = document.audio_id if document else None
    files = [
        blob.name for blob in upload_files(library) if upload_id(blob.name, blob.etag, library.signing_key) == upload
    ]
    copies = [blob.name for blob in library.blobs.list("batch", f"{upload}/")]

    is_of_library = audio_id is not None and bool(library.catalogue.tracks_of_audio([audio_id]))
    digests = [] if is_of_library else _digests(library, audio_id, copies)
    for name in files:
        library.blobs.delete("uploads", name)
    for version in library.indexes.versions():
        library.rankings.delete(version.version, upload)
    if audio_id is not None and not is_of_library:
        for parameters in _parameters_in_use(library):
            library.features.delete(audio_id, parameters)
    recommendations = library.recommendations.forget_upload(upload, content_digests=digests)
    for name in copies:
        library.blobs.delete("batch", name)
    library.documents.delete(upload)
    return Purged(
        blobs=len(files) + len(copies),
        had_document=document is not None,
        recommendations=recommendations,
        audio_id=None if is_of_library else audio_id,
    )


def _digests(library: Library, audio_id: AudioId | None, copies: Sequence[str]) -> list[str]:
    """Return the content digests that the catalogue may hold of an upload."""
    if audio_id is not None:
        return library.catalogue.digests_of_audio(audio_id)
    # The catalogue may know the bytes even so, because the document may have begun again after an analysis.
    return [_digest_of(library, name) for name in copies]


def _digest_of(library: Library, copy: str) -> str:
    with library.blobs.as_file("batch", copy) as path, path.open("rb") as file:
        return content_digest(file)


def _parameters_in_use(library: Library) -> set[FeaturesParameters]:
    """Return the parameters of the settings and of every stored index: an upload may be analysed with any of them."""
    used = {library.feature_parameters}
    for stored in library.indexes.versions():
        if (index := library.indexes.read_if_usable(stored.version)) is not None:
            used.add(index.parameters.features)
    return used
