"""How far an upload is, from the moment its file has come."""

from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import UPLOADS, Blob
from mfcc_assets.storage.documents.port import Document, absent


def upload_state(library: Library, upload: UploadId) -> Document:
    """Return the document of an upload. Before anything has written one, it is made of the file that lies there.

    Such an upload is waiting. Its document is not stored, and its tag is that of the file.

    Raises
    ------
    DocumentNotFound
        If there is neither a document of the upload nor a file ``<upload id>/<name>`` in the container `uploads`.
    """
    stored = library.documents.get_or_none(upload)
    if stored is not None:
        return stored
    blob = waiting_file(library, upload)
    if blob is None:
        raise absent(upload)
    received = blob.modified.isoformat()
    body = {
        "state": State.WAITING.value,
        "received": received,
        "file_name": shown_name(blob.name.partition("/")[2]),
        "times": {State.WAITING.value: received},
        "blob": blob.name,
    }
    return Document(upload, body, blob.etag)


def waiting_file(library: Library, upload: UploadId) -> Blob | None:
    """Return the file that carries the id of an upload in its name; None if there is none.

    An id is the id of one upload, so a file among others in the folder carries no id: see `UploadRegister`.
    """
    if not is_upload_id(upload):
        return None
    files = [blob for blob in library.blobs.list(UPLOADS, f"{upload}/") if not is_companion(blob.name)]
    return files[0] if len(files) == 1 else None
