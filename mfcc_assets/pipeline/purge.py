"""Remove everything that is stored of uploads: because a listener asks for it, or because their time has passed.

A purge removes what the document of an upload recorded and what was computed from it, and then looks into every store
whether anything is left. The document is removed last, so an interrupted purge can be repeated.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfcc_assets.errors import BlobNotFound, NotAnUploadId, PurgeIncomplete
from mfcc_assets.ids import NO_CONTENT, AudioId, UploadId, is_upload_id, upload_id_in
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge_search import (
    COPY,
    computed_of,
    copies_of,
    features_of,
    files_of,
    lists_of,
    recorded_files,
)
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.pipeline.upload_register import UploadRegister, digest_of_blob, upload_files
from mfcc_assets.storage.blobs.names import clean_name, shown_name
from mfcc_assets.storage.blobs.port import BATCH, CEPSTRA, UPLOADS, Blob

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
    was_known
        True if anything was stored under the id of the upload. Otherwise nothing was removed.
    """

    blobs: int
    had_document: bool
    recommendations: int
    audio_id: AudioId | None
    was_known: bool


def purge_upload(library: Library, upload: UploadId) -> Purged:
    """Remove an upload: its files, its document, its rows, and the features of its audio.

    The features stay if a soundtrack of the library has the same audio. Dagster's own events still name the file until
    they are deleted there.

    Raises
    ------
    NotAnUploadId
        If the text is not an id of an upload, but for example one of an audio or an index, or the name of a file.
    PurgeIncomplete
        If anything of it is left, for example because a run is answering it at the same time.
    """
    if not is_upload_id(upload):
        raise NotAnUploadId(
            "this is not the id of an upload, which has 32 digits from 0 to 9 and from a to f",
            subject=shown_name(upload),
            remedy="Copy the id from where the upload is shown",
        )
    return purge_uploads(library, [upload])[upload]


def purge_uploads(library: Library, uploads: Collection[UploadId]) -> dict[UploadId, Purged]:
    """Remove uploads as `purge_upload` does. The folders of the stores are listed for all of them together.

    For few uploads, only their own folders are listed if their documents tell where their files are, so that the
    work does not grow with the library.
    """
    if not uploads:
        return {}
    stored = {upload: library.documents.get_or_none(upload) for upload in uploads}
    bodies = {upload: document.body if document else {} for upload, document in stored.items()}
    names = recorded_files(library, stored)
    # A register that began earlier might not know documents of other processes.
    register = UploadRegister(library, None if names is None else list(filter(None, stored.values())))
    files = files_of(library, register, uploads, names)
    copies = copies_of(library, uploads)
    lists = lists_of(library, uploads)
    rows = {upload: library.recommendations.rows_of_upload(upload, content_digests=[]) for upload in uploads}
    similar = {
        upload: _closed_file(library, document.body) if document else _files_like(library, register, copies[upload])
        for upload, document in stored.items()
        if not files[upload] and (document or copies[upload])
    }
    for upload, found in similar.items():
        if len(found) != 1 or _is_closed(library, found[0]):
            continue
        if library.documents.get_or_none(register.upload_of(found[0])) is None:
            files[upload] = found
    for upload, body in bodies.items():
        if "content" not in body:
            bodies[upload] = {**body, "content": _content(library, files[upload], copies[upload])}

    for blobs in files.values():
        for blob in blobs:
            library.blobs.delete(UPLOADS, blob.name)
    audio_ids, recommendations = remove_computed(library, bodies)
    for copied in copies.values():
        for blob in copied:
            library.blobs.delete(BATCH, blob.name)
    _require_nothing_left(library, register, bodies, audio_ids, names)
    for upload in uploads:
        library.documents.delete(upload)
    if any(body.get("state") not in _ENDED for body in bodies.values()):
        # A step that ended before its document was removed may have stored its results since they were removed.
        remove_computed(library, bodies)
        _require_nothing_left(library, register, bodies, audio_ids, names)
    library.database.empty_log()
    _require_no_similar_file({upload: found for upload, found in similar.items() if found != files[upload]})
    return {
        upload: Purged(
            blobs=len(files[upload]) + len(copies[upload]),
            had_document=stored[upload] is not None,
            recommendations=recommendations[upload],
            audio_id=next(iter(audio_ids[upload]), None),
            was_known=bool(stored[upload] or files[upload] or copies[upload] or lists[upload] or rows[upload]),
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
    for blob in computed_of(library, bodies, audio_ids):
        library.blobs.delete(CEPSTRA, blob.name)
    recommendations = {}
    for upload, body in bodies.items():
        digests = _digests(library, body, audio_ids[upload])
        recommendations[upload] = library.recommendations.forget_upload(upload, content_digests=digests)
    return audio_ids, recommendations


def remove_features(library: Library, audio_ids: Collection[AudioId]) -> None:
    """Remove the features of these audios, of every version."""
    for blobs in features_of(library, audio_ids).values():
        for blob in blobs:
            library.blobs.delete(CEPSTRA, blob.name)


def purge_lapsed_uploads(library: Library, now: datetime | None = None) -> list[UploadId]:
    """Purge all uploads whose time of retention has passed, and return their ids.

    A file without a document, for example a cover, lapses too. Such files go first: a purge stops at a file that may
    belong to an upload whose document is lost.

    Raises
    ------
    PurgeIncomplete
        If anything of one is left.
    """
    lapsed = lapsed_uploads(library, now)
    for blob in lapsed_files(library, now):
        library.blobs.delete(UPLOADS, blob.name)
    purge_uploads(library, lapsed)
    return lapsed


def lapsed_uploads(library: Library, now: datetime | None = None) -> list[UploadId]:
    """Return the uploads that came longer ago than the settings keep them; none if they keep them for ever.

    An upload whose document is lost lapses with its copy in `batch`.
    """
    received = {found.id: datetime.fromisoformat(found.body["received"]) for found in library.documents.find()}
    for blob in library.blobs.list(BATCH):
        if match := COPY.fullmatch(blob.name):
            received.setdefault(match[1], blob.modified)
    return [
        UploadId(upload) for upload, at in received.items() if is_upload_id(upload) and has_lapsed(library, at, now)
    ]


def lapsed_files(library: Library, now: datetime | None = None) -> list[Blob]:
    """Return the files in `uploads` that came longer ago than the settings keep them."""
    return [blob for blob in library.blobs.list(UPLOADS) if has_lapsed(library, blob.modified, now)]


def has_lapsed(library: Library, received: datetime, now: datetime | None = None) -> bool:
    """Return True if something that came at this time must not be kept any longer."""
    days = library.settings.retention_days
    return days > 0 and (now or datetime.now(UTC)) - received >= timedelta(days=days)


def _files_like(library: Library, register: UploadRegister, copies: Collection[Blob]) -> list[Blob]:
    """Return the files in `uploads` that have the name and the content of the copy of an upload, or may not be read.

    They show which file it was if its document is lost, and the key with which its id was made.
    """
    wanted = {(copy.name.partition("/")[2], copy.size): digest_of_blob(library, BATCH, copy.name) for copy in copies}
    found = []
    for blob in upload_files(library):
        key = (clean_name(blob.name.rpartition("/")[2]), blob.size)
        if key not in wanted:
            continue
        try:
            owner, source = register.identify(blob)
        except BlobNotFound:
            continue
        if source.content in {wanted[key], NO_CONTENT} and upload_id_in(blob.name) != owner:
            found.append(blob)
    return found


def _require_no_similar_file(similar: Mapping[UploadId, Collection[Blob]]) -> None:
    """Require that no file is left that may be the one of an upload."""
    names = [f"uploads/{shown_name(blob.name)}" for blobs in similar.values() for blob in blobs]
    if names:
        raise PurgeIncomplete(
            f"these files may be the upload, but its document is lost or they may not be read, so nothing tells "
            f"whether another listener uploaded them: {', '.join(names)}",
            subject=f"Purge of {', '.join(similar)}",
            remedy="Everything else of it is removed. Delete those of the files that must go",
        )


def _closed_file(library: Library, body: Body) -> list[Blob]:
    """Return the file that a document names if it may not be read, so that its content does not tell whose it is."""
    try:
        blob = library.blobs.stat(UPLOADS, body["blob"])
    except (BlobNotFound, KeyError):
        return []
    return [blob] if _is_closed(library, blob) else []


def _is_closed(library: Library, blob: Blob) -> bool:
    try:
        return digest_of_blob(library, UPLOADS, blob.name) == NO_CONTENT
    except BlobNotFound:
        return False


def _content(library: Library, files: Sequence[Blob], copies: Sequence[Blob]) -> str | None:
    """Return the content digest of an upload whose document does not record it; None if no file of it is left."""
    unreadable = []
    for container, blob in [*((BATCH, copy) for copy in copies), *((UPLOADS, file) for file in files)]:
        if content := digest_of_blob(library, container, blob.name):
            return content
        unreadable.append(f"{container}/{shown_name(blob.name)}")
    if unreadable:
        raise PurgeIncomplete(
            "the document of the upload is lost and its file may not be read, "
            "so nothing tells what was computed from it",
            subject=", ".join(unreadable),
            remedy="Change its permissions. Then purge the upload again",
        )
    return None


def _own_audio(library: Library, body: Body) -> set[AudioId]:
    """Return the audio of an upload, unless a soundtrack has the same."""
    audio_ids = {AudioId(body["audio_id"])} if body.get("audio_id") else set()
    if body.get("content"):
        # The document may have begun again since the analysis, but the catalogue still knows the audio of the bytes.
        audio_ids |= {content.audio_id for content in library.catalogue.contents([body["content"]]).values()}
    own = audio_ids - library.catalogue.tracks_of_audio(audio_ids).keys()
    index = library.indexes.published_if_usable() if own else None
    if index is None:
        return own
    # The database may have been lost. The index still names the audio of the soundtracks.
    return {audio_id for audio_id in own if index.tracks.rows([audio_id])[0] < 0}


def _digests(library: Library, body: Body, audio_ids: Collection[AudioId]) -> list[str]:
    """Return the content digests that the catalogue may hold of an upload."""
    own = {body["content"]} if body.get("content") else set()
    return sorted(own.union(*(library.catalogue.digests_of_audio(audio_id) for audio_id in audio_ids)))


def _require_nothing_left(
    library: Library,
    register: UploadRegister,
    bodies: Mapping[UploadId, Body],
    audio_ids: Mapping[UploadId, Collection[AudioId]],
    names: Mapping[UploadId, str] | None,
) -> None:
    left = [f"uploads/{blob.name}" for blobs in files_of(library, register, bodies, names).values() for blob in blobs]
    left += [f"batch/{blob.name}" for blobs in copies_of(library, bodies).values() for blob in blobs]
    left += [f"{CEPSTRA}/{blob.name}" for blob in computed_of(library, bodies, audio_ids)]
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
