"""Find the uploads that have been waiting for their answers for too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UNANSWERED, State, UploadDocument

ANSWERED_WITHIN = timedelta(minutes=1)
"""Time within which a listener should have the answer to an upload."""


@dataclass(frozen=True)
class LateAnswer:
    """An upload without an answer.

    Attributes
    ----------
    upload
        Id of the upload.
    file_name
        Name of its file.
    state
        How far it has come.
    waited
        Time since its file came.
    """

    upload: UploadId
    file_name: str
    state: State
    waited: timedelta


def late_answers(library: Library, now: datetime) -> list[LateAnswer]:
    """Return the uploads that came more than `ANSWERED_WITHIN` ago and have no answer, the oldest first.

    An upload that failed has its answer: the reason. It is not late.
    """
    documents = [
        (UploadId(found.id), UploadDocument.of(found.body))
        for state in UNANSWERED
        if state is not State.FAILED
        for found in library.documents.find(state.value)
    ]
    waiting = [
        LateAnswer(upload, document.file_name, document.state, now - datetime.fromisoformat(document.received))
        for upload, document in documents
    ]
    return sorted((late for late in waiting if late.waited > ANSWERED_WITHIN), key=lambda late: -late.waited)
