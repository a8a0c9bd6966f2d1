"""The register of uploads: which file in the container `uploads` is which upload.

The id of an upload rests on the name and the content of its file. The documents record both, together with the version
(ETag) of the file. So a file is only read if it is new, or has another version than its document says. A copied
library, a file whose permissions changed, and a new signing key make no new uploads: a document records their content.
"""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from mfcc_assets.errors import BlobNotFound, Conflict, StoreError
from mfcc_assets.ids import NO_CONTENT, UploadId, digest_of_file, upload_id, upload_id_in
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_source import Source
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.open_files import is_open_for_writing
from mfcc_assets.storage.blobs.port import BATCH, UPLOADS, Blob
from mfcc_assets.storage.documents.port import Document

MISSED = ("gone", "changed")
"""Codes of failures after which an upload is answered if its file is there again."""

_logger = logging.getLogger(__name__)


def upload_files(library: Library) -> Iterator[Blob]:
    """Iterate over the music files in the container `uploads`."""
    return (blob for blob in library.blobs.list(UPLOADS) if not is_companion(blob.name))


class UploadRegister:
    """Knows the upload of every file that it has seen. It begins with what the documents record.

    Parameters
    ----------
    library
        The library whose uploads are registered.
    documents
        Documents of uploads that it begins with; by default all of the library.
    """

    def __init__(self, library: Library, documents: Iterable[Document] | None = None) -> None:
        self._library = library
        self._known: dict[str, tuple[str, UploadId]] = {}
        self._looks: dict[str, tuple[str, float]] = {}
        self._recorded: dict[tuple[str, str], UploadId] = {}
        self._older: dict[UploadId, Mapping[str, str]] = {}
        for found in library.documents.find() if documents is None else documents:
            upload, body = UploadId(found.id), found.body
            if body.get("blob") and body.get("content") is not None:
                self._known.setdefault(body["blob"], (body.get("etag", ""), upload))
                self._recorded.setdefault((body["blob"], body["content"]), upload)
            else:
                self._older[upload] = body

    def is_known(self, blob: Blob) -> bool:
        """Return True if the register knows the upload of this version of a file, so that it need not be read."""
        return blob.name in self._known and self._known[blob.name][0] == blob.etag

    def is_settled(self, blob: Blob) -> bool:
        """Return True if nobody is still copying a file.

        Such a file came as a whole, or has had the same version for the time of the settings, and no process has it
        open for writing. The time is measured between two calls by a clock that nobody sets, because the time of a
        file comes from another clock.
        """
        now = time.monotonic()
        etag, since = self._looks.get(blob.name, ("", now))
        if etag != blob.etag:
            self._looks[blob.name] = (blob.etag, now)
            since = now
        is_quiet = blob.whole or now - since >= self._library.settings.settle_seconds
        return is_quiet and not self._is_being_written(blob)

    def _is_being_written(self, blob: Blob) -> bool:
        path = self._library.blobs.path(UPLOADS, blob.name)
        return path is not None and is_open_for_writing(path)

    def forget(self, *, files: Iterable[Blob], documents: Collection[str]) -> None:
        """Forget the files that are gone, and those whose document is gone.

        Parameters
        ----------
        files
            All files that are there.
        documents
            Ids of all documents.
        """
        names = {blob.name for blob in files}
        self._known = {name: at for name, at in self._known.items() if name in names and at[1] in documents}
        self._looks = {name: look for name, look in self._looks.items() if name in names}

    def identify(self, blob: Blob) -> tuple[UploadId, Source]:
        """Return the id of the upload in a file, and what its document records of the file. The file is read.

        Raises
        ------
        BlobNotFound
            If the file is gone.
        """
        content = _content(self._library, blob)
        recorded, folder_id = self._recorded.get((blob.name, content)), upload_id_in(blob.name)
        upload = (
            # The id of the folder is decided each time, because another file may have it by now.
            (recorded if recorded != folder_id else None)
            or self._carried_by(blob)
            or self._answered_by_older_version(blob, content)
            or upload_id(blob.name, content, self._library.signing_key)
        )
        self._recorded[blob.name, content] = upload
        self._known[blob.name] = (blob.etag, upload)
        return upload, Source(blob.name, blob.etag, content)

    def upload_of(self, blob: Blob) -> UploadId:
        """Return the id of the upload in a file, which is only read if its version is unknown."""
        return self._known[blob.name][1] if self.is_known(blob) else self.identify(blob)[0]

    def _carried_by(self, blob: Blob) -> UploadId | None:
        """Return the id that a file has from its folder; None if it has none, or another file has that id.

        An id is the id of one upload. So of several files in the folder, only the one that the document records has it.
        """
        upload = upload_id_in(blob.name)
        if upload is None:
            return None
        names = {file.name for file in self._library.blobs.list(UPLOADS, f"{upload}/") if not is_companion(file.name)}
        stored = self._library.documents.get_or_none(upload)
        holder = stored.body.get("blob") if stored else None
        # The document decides between several files. Without one, only a file that lies alone has the id.
        is_holder = holder == blob.name if holder in names else names <= {blob.name}
        if not is_holder:
            return None
        self._older.pop(upload, None)
        return upload

    def _answered_by_older_version(self, blob: Blob, content: str) -> UploadId | None:
        """Return the id of an upload whose document does not record its file, because an older version wrote it."""
        # The ids that older versions made rest on the version of the file.
        former = upload_id(blob.name, blob.etag, self._library.signing_key)
        if former in self._older:
            del self._older[former]
            return former
        file_name = blob.name.rpartition("/")[2]
        copies = {
            upload: body["batch"]
            for upload, body in self._older.items()
            if body.get("file_name") == file_name and body.get("batch")
        }
        found = next((upload for upload, copy in copies.items() if self._has_content(copy, blob.size, content)), None)
        if found is not None:
            del self._older[found]
        return found

    def _has_content(self, copy: str, size: int, content: str) -> bool:
        try:
            blob = self._library.blobs.stat(BATCH, copy)
        except StoreError:
            return False
        return blob.size == size and digest_of_blob(self._library, BATCH, copy) == content


_REGISTERS: WeakKeyDictionary[Library, UploadRegister] = WeakKeyDictionary()


def register_of(library: Library) -> UploadRegister:
    """Return the register of a library. It is made once in each process."""
    if library not in _REGISTERS:
        _REGISTERS[library] = UploadRegister(library)
    return _REGISTERS[library]


def receive_files(library: Library, blobs: Iterable[Blob]) -> dict[UploadId, UploadDocument]:
    """Identify files, and see to it that each has a document.

    Returns
    -------
    dict
        The document of each upload: a new one in the state `waiting`, or the one that it had.
    """
    documents = {}
    for blob in blobs:
        try:
            upload, source = register_of(library).identify(blob)
        except BlobNotFound:
            continue  # it went since it was listed
        except StoreError as error:
            # One file that cannot be read must not keep the others from an answer. The next tick tries it again.
            _logger.warning("An upload cannot be received now. %s", error)
            continue
        document = _documented(library, upload, source, blob)
        if document is not None:
            documents[upload] = document
    return documents


def files_of_uploads(library: Library, uploads: Collection[UploadId]) -> dict[UploadId, tuple[Blob, Source]]:
    """Return the file of each upload that has one in the container.

    The documents name the files. Only if one does not, or its file has changed, the whole container is looked through.
    """
    found, register = {}, register_of(library)
    for upload in uploads:
        stored = library.documents.get_or_none(upload)
        source = UploadDocument.of(stored.body).source if stored else None
        if source is None:
            continue
        try:
            blob = library.blobs.stat(UPLOADS, source.blob)
        except BlobNotFound:
            continue
        if blob.etag == source.etag:
            found[upload] = (blob, source)
    missing = set(uploads) - found.keys()
    for blob in sorted(upload_files(library)) if missing else []:
        if register.is_known(blob) and register.upload_of(blob) not in missing:
            continue
        try:
            upload, source = register.identify(blob)
        except StoreError:
            continue
        if upload in missing:
            found[upload] = (blob, source)
    return found


def digest_of_blob(library: Library, container: str, name: str) -> str:
    """Return the content digest of a blob, or `NO_CONTENT` if it may not be read.

    Raises
    ------
    BlobNotFound
        If there is no such blob.
    StoreError
        If it cannot be read for another reason.
    """
    subject = f"{container}/{name}"
    try:
        with library.blobs.as_file(container, name) as path:
            return digest_of_file(path)
    except PermissionError:
        return NO_CONTENT
    except FileNotFoundError as error:
        raise BlobNotFound("there is no such blob", subject=subject, remedy="List the container") from error
    except OSError as error:
        what = f"it cannot be read ({error.strerror or error})"
        raise StoreError(what, subject=subject, remedy="Check the disk") from error


def file_name_of(blob: Blob) -> str:
    """Return the name of a file without its folder, as it is shown to people."""
    return shown_name(blob.name.rpartition("/")[2])


def received_at(blob: Blob) -> str:
    """Return the time at which a file came, which is never in the future, whatever clock it was measured by."""
    return min(blob.modified, datetime.now(UTC)).isoformat()


def _documented(library: Library, upload: UploadId, source: Source, blob: Blob) -> UploadDocument | None:
    """Return the document of an upload after it was brought up to date; None if the upload was purged meanwhile."""
    waiting = UploadDocument.waiting(received=received_at(blob), file_name=file_name_of(blob), source=source)
    while True:
        stored = library.documents.get_or_none(upload)
        former = UploadDocument.of(stored.body) if stored else None
        if former is not None and former.source == source:
            return former
        is_kept = former is not None and former.content in (None, source.content) and not _was_missed(former)
        written = former.from_source(source) if former is not None and is_kept else waiting
        try:
            if stored is None:
                library.documents.create(upload, dict(written.body))
                if library.blobs.exists(UPLOADS, blob.name):
                    return written
                # A purge removes the file first and the document last, so it may have been done before this document.
                library.documents.delete(upload)
                return None
            return UploadDocument.of(library.documents.put(upload, dict(written.body), if_match=stored.etag).body)
        except Conflict:
            continue  # a run, or the sensor of another daemon, wrote it meanwhile


def _was_missed(document: UploadDocument) -> bool:
    """Return True if an upload failed only because its file was not there, or was another one, when it was read."""
    return document.failure is not None and document.failure.code in MISSED


def _content(library: Library, blob: Blob) -> str:
    if blob.size > library.settings.max_upload_bytes:
        return f"{blob.size} bytes"  # it is rejected because of its size, so it is not read
    return digest_of_blob(library, UPLOADS, blob.name)
