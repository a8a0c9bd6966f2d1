"""The uploads that wait for their answer, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mfcc_assets.ids import UploadId, upload_id_in
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.storage.blobs.port import UPLOADS

_QUEUED = (State.WAITING, State.RECEIVED, State.RECOGNISED, State.CANDIDATES)


@dataclass(frozen=True)
class UploadQueue:
    """The uploads without an answer.

    Attributes
    ----------
    counts
        Number of uploads in each state before the answer.
    oldest
        Time at which the first of them came; None if none waits.
    """

    counts: Mapping[str, int]
    oldest: datetime | None

    def age(self, now: datetime | None = None) -> float:
        """Return the seconds for which the oldest upload waits; 0 if none waits."""
        if self.oldest is None:
            return 0.0
        return max(0.0, ((now or datetime.now(UTC)) - self.oldest).total_seconds())


def upload_queue(library: Library) -> UploadQueue:
    """Return the uploads without an answer. Files of which nothing has written a document yet count as waiting."""
    ids = {state: library.documents.ids(state) for state in _QUEUED}
    documents = library.documents.get_many({upload for found in ids.values() for upload in found})
    received = [datetime.fromisoformat(document.body["received"]) for document in documents.values()]
    unseen = uploads_without_document(library)
    counts = {state.value: len(ids[state]) for state in _QUEUED}
    counts[State.WAITING.value] += len(unseen)
    return UploadQueue(counts, min([*received, *unseen.values()], default=None))


def uploads_without_document(library: Library) -> dict[UploadId, datetime]:
    """Return the uploads of the pages of which nothing has written a document yet, and since when each is there."""
    files = {
        upload: blob.modified
        for blob in library.blobs.list(UPLOADS)
        if (upload := upload_id_in(blob.name)) and not is_companion(blob.name)
    }
    documents = library.documents.get_many(list(files))
    return {upload: modified for upload, modified in files.items() if upload not in documents}
