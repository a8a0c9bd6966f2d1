"""The file of an upload, wherever it is now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mfcc_assets.errors import BlobNotFound, TooLarge
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.storage.blobs.port import BATCH, UPLOADS


@dataclass(frozen=True)
class UploadFile:
    """The file of an upload as a local file.

    Attributes
    ----------
    path
        Path of the file, or of a copy of it.
    file_name
        Name of the file, as it is shown to people.
    """

    path: Path
    file_name: str


@contextmanager
def opened_upload(library: Library, document: UploadDocument) -> Iterator[UploadFile]:
    """Lend the file of an upload: the copy that runs work on, or the file in `uploads` if there is no copy yet.

    Raises
    ------
    BlobNotFound
        If its file is gone.
    TooLarge
        If it has more bytes than the settings allow.
    """
    container, name, file_name = place_of_upload(library, document)
    check_size(library, library.blobs.stat(container, name).size, file_name)
    with library.blobs.as_file(container, name) as path:
        yield UploadFile(path, file_name)


def place_of_upload(library: Library, document: UploadDocument) -> tuple[str, str, str]:
    """Return the container and the name of the file of an upload, and its name as it is shown to people.

    Raises
    ------
    BlobNotFound
        If its file is gone.
    """
    places = [(BATCH, document.batch), (UPLOADS, document.blob)]
    for container, name in places:
        if name and library.blobs.exists(container, name):
            return container, name, document.file_name
    raise BlobNotFound("its file is gone", subject=f"Upload {document.file_name}", remedy="Upload it again")


def check_size(library: Library, size: int, file_name: str) -> None:
    """Raise `TooLarge` if a file has more bytes than the settings allow for an upload."""
    limit = library.settings.max_upload_bytes
    if size > limit:
        raise TooLarge(
            f"the file has {size:,} bytes, but the limit is {limit:,}",
            subject=file_name,
            remedy="Upload a part of it, or raise the limit",
        )
