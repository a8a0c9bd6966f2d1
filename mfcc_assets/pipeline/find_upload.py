"""Find uploads by their id or by the name of their file, whoever put the file there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mfcc_assets.errors import BlobNotFound, DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.pipeline.upload_register import UploadRegister, file_name_of, received_at, upload_files
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.texts import folded

UNSEEN = "unseen"
"""State of a file in the container `uploads` that nothing has looked at yet, so that it has no id."""

_LEAST_DIGITS = 4

STATES = (UNSEEN, *(state.value for state in State))


@dataclass(frozen=True)
class FoundUpload:
    """An upload, as a list shows it.

    Attributes
    ----------
    id
        Id of the upload; empty if its file was not seen yet.
    state
        One of `STATES`.
    received
        Time at which the file came, as an ISO 8601 text.
    file_name
        Name of the file without its folder.
    recognised
        What it was recognised as, as a text; empty if it was not.
    failure
        Why it has no answer; empty if it did not fail.
    """

    id: str
    state: str
    received: str
    file_name: str
    recognised: str = ""
    failure: str = ""


def list_uploads(library: Library, state: str | None = None) -> list[FoundUpload]:
    """Return the uploads in a state, or all: first the files that nothing has looked at yet, then the last received.

    Parameters
    ----------
    library
        The library.
    state
        One of `STATES`; None for all.
    """
    unseen = _unseen(library) if state in (None, UNSEEN) else []
    return unseen + ([] if state == UNSEEN else [_found(document) for document in library.documents.find(state)])


def find_uploads(library: Library, text: str) -> list[FoundUpload]:
    """Return the uploads that a text names, the last received first.

    The text may be an id, the name of a file, the beginning of an id with at least four digits, or a part of a name.
    These are tried in this order, and the first one that matches any upload decides. Case, width and Unicode form do
    not matter.

    Raises
    ------
    DocumentNotFound
        If the text names no upload.
    """
    wanted, uploads = folded(text), list_uploads(library)
    for matches in _WAYS:
        if wanted and (found := [upload for upload in uploads if matches(upload, wanted)]):
            return found
    raise DocumentNotFound(
        "no upload has an id that begins with this, or this in the name of its file",
        subject=f"“{text}”",
        remedy="`mfcc uploads` lists all uploads",
    )


_WAYS: Sequence[Callable[[FoundUpload, str], bool]] = (
    lambda upload, wanted: upload.id == wanted,
    lambda upload, wanted: folded(upload.file_name) == wanted,
    lambda upload, wanted: len(wanted) >= _LEAST_DIGITS and upload.id.startswith(wanted),
    lambda upload, wanted: wanted in folded(upload.file_name),
)
"""Ways in which a text can name an upload, in the order in which they are tried."""


def _found(document: Document) -> FoundUpload:
    upload = UploadDocument.of(document.body)
    recognised, failure = upload.recognised, upload.failure
    names = [recognised.title, recognised.artist] if recognised else []
    return FoundUpload(
        UploadId(document.id),
        upload.state.value,
        upload.received,
        upload.file_name,
        " by ".join(filter(None, names)),
        failure.reason if failure else "",
    )


def _unseen(library: Library) -> list[FoundUpload]:
    register, known = UploadRegister(library), {document.id for document in library.documents.find(None)}

    def is_unseen(blob: Blob) -> bool:
        try:
            # In a copied home, all files have other versions, but they are the same uploads.
            return register.upload_of(blob) not in known
        except (BlobNotFound, FileNotFoundError, PermissionError):
            return False  # The file went after it was listed, or nobody may read it.

    files = sorted(filter(is_unseen, upload_files(library)), reverse=True)
    return [FoundUpload("", UNSEEN, received_at(blob), file_name_of(blob)) for blob in files]
