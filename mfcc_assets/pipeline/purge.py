"""Everything of an upload removed, as a listener may ask."""

from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.ids import content_digest, upload_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.uploads import upload_files


@dataclass(frozen=True)
class Purged:
    """What was there of an upload, and is not any more.

    Attributes
    ----------
    blobs
        The file as it came, and the copy that runs worked on.
    audio_id
        Audio whose features went as well; None where a soundtrack has the same audio, or it was never analysed.
    """

    blobs: int
    had_document: bool
    recommendations: int
    audio_id: str | None


def purge_upload(library: Library, upload: str) -> Purged:
    """Remove an upload: its files, its document, its rows, and what was computed of its audio.

    Features stay where a soundtrack of the library has the same audio. The document goes last, so that who is
    interrupted can begin again. Dagster's own events name the file until they are deleted there.
    """
    audio_id = _audio_of(library, upload)
    names = [blob.name for blob in upload_files(library) if _id_of(library, blob.name, blob.etag) == upload]
    copies = [blob.name for blob in library.blobs.list("batch", f"{upload}/")]
    digests = [_digest_of(library, name) for name in copies]

    for name in names:
        library.blobs.delete("uploads", name)
    for version in library.indexes.versions():
        library.rankings.delete(version.version, upload)
    is_of_library = audio_id is not None and bool(library.catalogue.tracks_of_audio([audio_id]))
    if audio_id is not None and not is_of_library:
        for parameters in _parameters_in_use(library):
            library.features.delete(audio_id, parameters)
    recommendations = library.recommendations.forget_query(upload, content_digests=[] if is_of_library else digests)
    for name in copies:
        library.blobs.delete("batch", name)
    had_document = _document_of(library, upload) is not None
    library.documents.delete(upload)
    return Purged(len(names) + len(copies), had_document, recommendations, None if is_of_library else audio_id)


def _id_of(library: Library, name: str, etag: str) -> str:
    return upload_id(name, etag, library.signing_key)


def _digest_of(library: Library, copy: str) -> str:
    with library.blobs.as_file("batch", copy) as path, path.open("rb") as file:
        return content_digest(file)


def _document_of(library: Library, upload: str) -> dict[str, object] | None:
    document = library.documents.get_or_none(upload)
    return None if document is None else document.body


def _audio_of(library: Library, upload: str) -> str | None:
    body = _document_of(library, upload) or {}
    audio_id = body.get("audio_id")
    return audio_id if isinstance(audio_id, str) else None


def _parameters_in_use(library: Library) -> set[FeaturesParameters]:
    """Those of the settings, and of every stored index: an upload is analysed as the published one was made."""
    used = {library.settings.features}
    for stored in library.indexes.versions():
        try:
            used.add(library.indexes.read(stored.version).parameters.features)
        except (CorruptIndex, NoPublishedIndex):
            continue
    return used
