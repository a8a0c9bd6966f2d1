"""Claims of runs on uploads: of all runs that try to answer an upload, exactly one does.

Two daemons that watch the same container both request a run for a new upload. The run that first writes its id into the
document, under the document's ETag, answers the upload. The others leave it alone, even if it is answered before they
start. A claim is free again as soon as its run is known to have ended, or has shown no sign of life for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfcc_assets.errors import Conflict
from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.shares import SHARES
from mfcc_assets.pipeline.upload_document import Kind, State, UploadDocument
from mfcc_assets.storage.documents.port import DocumentStore


@dataclass(frozen=True)
class AnsweringRun:
    """A run that answers uploads.

    Attributes
    ----------
    run_id
        Id of the run.
    requested
        Time at which the run was requested, in UTC.
    has_ended
        Returns True if the run of an id is known to have ended. The runs of another Dagster are not known.
    claim_seconds
        Time without a sign of life after which a claim lapses.
    keeps_answers
        True if the run does not answer uploads again that have an answer.
    """

    run_id: str
    requested: datetime
    has_ended: Callable[[str], bool]
    claim_seconds: float
    keeps_answers: bool = False

    def may_answer(self, document: UploadDocument) -> bool:
        """Return True unless another run works on the upload, or has closed it since this run was requested.

        A run that keeps answers leaves every upload alone that has one.
        """
        if document.state is State.WAITING or document.run_id == self.run_id:
            return True
        if self.keeps_answers and document.state is State.RANKED:
            return False
        if not document.is_under_way:
            return document.last_sign < self.requested
        has_lapsed = datetime.now(UTC) - document.last_sign >= timedelta(seconds=self.claim_seconds)
        return has_lapsed or self.has_ended(document.run_id)

    def claim(
        self, documents: DocumentStore, upload: UploadId, begin: Callable[[UploadDocument | None], UploadDocument]
    ) -> tuple[UploadDocument, bool]:
        """Begin an upload's document, unless another run works on the upload.

        Parameters
        ----------
        documents
            Store of the document.
        upload
            Id of the upload.
        begin
            Function that makes the new document from the former one, or from None if there is none.

        Returns
        -------
        document
            The upload's document after the call.
        is_claimed
            True if this run answers the upload.
        """
        while True:
            stored = documents.get_or_none(upload)
            former = UploadDocument.of(stored.body) if stored else None
            if former is not None and not self.may_answer(former):
                return former, False
            body = dict(begin(former).heard_from(self.run_id).body)
            if former is not None and SHARES in former.body:
                # Who has a link to the answer shall see the next one, too.
                body[SHARES] = former.body[SHARES]
            try:
                if stored is None:
                    return UploadDocument.of(documents.create(upload, body).body), True
                return UploadDocument.of(documents.put(upload, body, if_match=stored.etag).body), True
            except Conflict:
                continue  # Another run was quicker, and its document decides.

    def advance(
        self, documents: DocumentStore, upload: UploadId, kind: type[Kind], change: Callable[[Kind], UploadDocument]
    ) -> UploadDocument:
        """Add the findings of a step to an upload's document, unless another run has claimed the upload meanwhile.

        Parameters
        ----------
        documents
            Store of the document.
        upload
            Id of the upload.
        kind
            Class of documents that hold what the step needs.
        change
            Function that adds the findings. It may be called several times.

        Returns
        -------
        UploadDocument
            The stored document after the call.

        Raises
        ------
        DocumentNotFound
            If the upload was purged meanwhile.
        """

        def changed(body: dict[str, Any]) -> dict[str, Any]:
            stored = UploadDocument.of(body)
            ready = stored.ready_for(kind)
            if ready is None or not self.may_answer(stored):
                return body
            return dict(change(ready).heard_from(self.run_id).body)

        return UploadDocument.of(documents.update(upload, changed).body)


def document_of(documents: DocumentStore, upload: UploadId) -> UploadDocument | None:
    """Return the document of an upload; None if there is none."""
    stored = documents.get_or_none(upload)
    return UploadDocument.of(stored.body) if stored else None
