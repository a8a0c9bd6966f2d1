"""Delete an upload because its listener wants it, also while a run answers it."""

import time

from mfcc_assets.errors import PurgeIncomplete
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import Purged, purge_upload

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5


def delete_upload(library: Library, upload: UploadId) -> Purged:
    """Remove an upload and everything that was derived from it, as `mfcc_assets.pipeline.purge.purge_upload` does.

    A run that answers the upload may store something while it is removed. The removal is then repeated. What the run
    stores after the last document is gone, it removes itself.

    Raises
    ------
    NotAnUploadId
        If the text is not an id of an upload.
    PurgeIncomplete
        If something is still left after some attempts. The document is then still there, and the deletion can be
        repeated.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return purge_upload(library, upload)
        except PurgeIncomplete:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")
