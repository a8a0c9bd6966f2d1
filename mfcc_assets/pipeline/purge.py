"""Remove everything that is stored of uploads: because a listener asks for it, or because their time has passed.

A purge removes what the document of an upload recorded and what was computed from it, and then looks into every store
whether anything is left. The document is removed last, so an interrupted purge can be repeated.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfcc_assets.errors import PurgeIncomplete
from mfcc_assets.ids import AudioId, UploadId, content_digest
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import is_companion
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.upload_register import UploadRegister
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob

_NAMES_IN_BLOB_NAME = re.compile(r"[^/.]+")

_ENDED = (State.RANKED.value, State.FAILED.value)

Body = Mapping[str, Any]
"""The stored JSON of a document."""


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

    The features stay if a soundtrack of the library has the same audio. Dagster's own events still name the file until
    they are deleted there.

    Raises
    ------
    PurgeIncomplete
        If anything of it is left, for example because a run is answering it at the same time.
    """
    return purge_uploads(library, [upload])[upload]


def purge_uploads(library: Library, uploads: Collection[UploadId]) -> dict[UploadId, Purged]:
    """Remove uploads as `purge_upload` does. All stores are looked through once for all of them."""
    if not uploads:
        return {}
    stored = {upload: library.documents.get_or_none(upload) for upload in uploads}
    bodies = {upload: document.body if document else {} for upload, document in stored.items()}
    register = UploadRegister(library)  # one that began earlier might not know documents of other processes
    files = _files(library, register, uploads)
    copies = _names_with(library, "batch", set(uploads))
    for upload, body in bodies.items():
        if "content" not in body:
            bodies[upload] = {**body, "content": _content(library, files[upload], copies[upload])}

    for names in files.values():
        for blob in names:
            library.blobs.delete("uploads", blob.name)
    audio_ids, recommendations = remove_computed(library, bodies)
    for copied in copies.values():
        for name in copied:
            library.blobs.delete("batch", name)
    _require_nothing_left(library, register, bodies, audio_ids)
    for upload in uploads:
        library.documents.delete(upload)
    if any(body.get("state") not in _ENDED for body in bodies.values()):
        # A step that ended before its document was removed may have stored its results since they were removed.
        remove_computed(library, bodies)
        _require_nothing_left(library, register, bodies, audio_ids)
    library.database.empty_log()
    return {
        upload: Purged(
            blobs=len(files[upload]) + len(copies[upload]),
            had_document=stored[upload] is not None,
            recommendations=recommendations[upload],
            audio_id=next(iter(audio_ids[upload]), None),
        )
        for upload in uploads
    }


def remove_computed(
    library: Library, bodies: Mapping[UploadId, Body]
) -> tuple[dict[UploadId, set[AudioId]], dict[UploadId, int]]:
    """Remove what was computed from uploads: features, candidates, rankings, and all rows.

    Parameters
    ----------
    library
        The library.
    bodies
        Documents of the uploads.

    Returns
    -------
    audio_ids
        Audio of each upload whose features were removed. The audio of soundtracks is left out.
    recommendations
        Number of rows of recommendations that were removed.
    """
    audio_ids = {upload: _own_audio(library, body) for upload, body in bodies.items()}
    names = set(bodies) | set().union(*audio_ids.values())
    for found in _names_with(library, CEPSTRA, names).values():
        for name in found:
            library.blobs.delete(CEPSTRA, name)
    recommendations = {}
    for upload, body in bodies.items():
        digests = _digests(library, body, audio_ids[upload])
        recommendations[upload] = library.recommendations.forget_upload(upload, content_digests=digests)
    return audio_ids, recommendations


def purge_lapsed_uploads(library: Library, now: datetime | None = None) -> list[UploadId]:
    """Purge all uploads whose time of retention has passed, and return their ids.

    A file without a document, for example a cover, lapses too.

    Raises
    ------
    PurgeIncomplete
        If anything of one is left.
    """
    lapsed = lapsed_uploads(library, now)
    purge_uploads(library, lapsed)
    for blob in lapsed_files(library, now):
        library.blobs.delete("uploads", blob.name)
    return lapsed


def lapsed_uploads(library: Library, now: datetime | None = None) -> list[UploadId]:
    """Return the uploads that came longer ago than the settings keep them; none if they keep them for ever."""
    return [
        UploadId(found.id)
        for found in library.documents.find()
        if has_lapsed(library, datetime.fromisoformat(found.body["received"]), now)
    ]


def lapsed_files(library: Library, now: datetime | None = None) -> list[Blob]:
    """Return the files in `uploads` that came longer ago than the settings keep them."""
    return [blob for blob in library.blobs.list("uploads") if has_lapsed(library, blob.modified, now)]


def has_lapsed(library: Library, received: datetime, now: datetime | None = None) -> bool:
    """Return True if something that came at this time must not be kept any longer."""
    days = library.settings.retention_days
    return days > 0 and (now or datetime.now(UTC)) - received >= timedelta(days=days)


def _files(library: Library, register: UploadRegister, uploads: Collection[UploadId]) -> dict[UploadId, list[Blob]]:
    """Return the files of each upload in `uploads`, whatever their versions are now, and what lies beside them."""
    files: dict[UploadId, list[Blob]] = {upload: [] for upload in uploads}
    for blob in library.blobs.list("uploads"):
        folder = UploadId(blob.name.partition("/")[0])
        upload = folder if folder in files or is_companion(blob.name) else register.upload_of(blob)
        if upload in files:
            files[upload].append(blob)
    return files


def _names_with(library: Library, container: str, ids: Collection[str]) -> dict[str, list[str]]:
    """Return the names of the blobs that have each of these ids in their name."""
    found: dict[str, list[str]] = {one: [] for one in ids}
    for blob in library.blobs.list(container):
        for one in found.keys() & set(_NAMES_IN_BLOB_NAME.findall(blob.name)):
            found[one].append(blob.name)
    return found


def _content(library: Library, files: Sequence[Blob], copies: Sequence[str]) -> str | None:
    """Return the content digest of an upload whose document does not record it; None if no file of it is left."""
    for container, name in [*(("batch", name) for name in copies), *(("uploads", blob.name) for blob in files)]:
        with library.blobs.as_file(container, name) as path, path.open("rb") as file:
            return content_digest(file)
    return None


def _own_audio(library: Library, body: Body) -> set[AudioId]:
    """Return the audio of an upload, unless a soundtrack has the same."""
    audio_ids = {AudioId(body["audio_id"])} if body.get("audio_id") else set()
    if body.get("content"):
        # The document may have begun again since the analysis, but the catalogue still knows the audio of the bytes.
        audio_ids |= {content.audio_id for content in library.catalogue.contents([body["content"]]).values()}
    return audio_ids - library.catalogue.tracks_of_audio(audio_ids).keys()


def _digests(library: Library, body: Body, audio_ids: Collection[AudioId]) -> list[str]:
    """Return the content digests that the catalogue may hold of an upload."""
    own = {body["content"]} if body.get("content") else set()
    return sorted(own.union(*(library.catalogue.digests_of_audio(audio_id) for audio_id in audio_ids)))


def _require_nothing_left(
    library: Library,
    register: UploadRegister,
    bodies: Mapping[UploadId, Body],
    audio_ids: Mapping[UploadId, Collection[AudioId]],
) -> None:
    left = [f"uploads/{blob.name}" for blobs in _files(library, register, bodies).values() for blob in blobs]
    names = set(bodies) | set().union(*audio_ids.values())
    for container in ("batch", CEPSTRA):
        found = _names_with(library, container, names).values()
        left += [f"{container}/{name}" for blob_names in found for name in blob_names]
    for upload, body in bodies.items():
        digests = _digests(library, body, audio_ids[upload])
        if rows := library.recommendations.rows_of_upload(upload, content_digests=digests):
            left.append(f"{rows} rows of the database")
    if left:
        raise PurgeIncomplete(
            f"these are left: {', '.join(left)}",
            subject=f"Purge of {', '.join(bodies)}",
            remedy="If a run is answering the upload, wait for its end. Then purge it again",
        )
