"""Which run answers an upload: of several that set out to, one does.

Two daemons that look at the same container both request a run for what has come. Whoever writes its run into the
upload's document first, under the document's ETag, answers it; the others leave it alone, also when it is answered by
the time they begin. What a run has claimed and not finished is free again as soon as the run is known to have ended, or
has not been heard of for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfcc_assets.errors import Conflict
from mfcc_assets.storage.documents.port import DocumentStore

RECEIVED, RECOGNISED, CANDIDATES, RANKED, FAILED = "received", "recognised", "candidates", "ranked", "failed"
UNANSWERED = (RECEIVED, RECOGNISED, CANDIDATES, FAILED)
_UNDER_WAY = (RECEIVED, RECOGNISED, CANDIDATES)

Body = dict[str, Any]
"""An upload's document."""


@dataclass(frozen=True)
class AnsweringRun:
    """A run that answers uploads.

    Attributes
    ----------
    run_id
        Its own.
    requested
        When it was asked for, in UTC.
    has_ended
        Whether another run has ended, as far as the Dagster of this one knows. It knows nothing of another Dagster's.
    claim_seconds
        After so long without a sign of life another's claim lapses.
    """

    run_id: str
    requested: datetime
    has_ended: Callable[[str], bool]
    claim_seconds: float

    def may_answer(self, body: Body) -> bool:
        """Whether no other run is at work on the upload, or has answered it since this one was asked for."""
        if body["run_id"] == self.run_id:
            return True
        last_sign = _last_sign(body)
        if body["state"] not in _UNDER_WAY:
            return last_sign < self.requested
        has_lapsed = datetime.now(UTC) - last_sign >= timedelta(seconds=self.claim_seconds)
        return has_lapsed or self.has_ended(body["run_id"])

    def claim(self, documents: DocumentStore, upload: str, begin: Callable[[Body | None], Body]) -> tuple[Body, bool]:
        """Begin an upload's document, unless another run is at work on it.

        Parameters
        ----------
        begin
            Makes the new body of the former one; None where the upload has none yet.

        Returns
        -------
        body
            The upload's document as it is now.
        is_ours
            Whether this run may go on.
        """
        while True:
            former = documents.get_or_none(upload)
            try:
                if former is None:
                    return documents.create(upload, begin(None) | _heard_now()).body, True
                if not self.may_answer(former.body):
                    return former.body, False
                return documents.put(upload, begin(former.body) | _heard_now(), if_match=former.etag).body, True
            except Conflict:
                continue  # another run was quicker: what it wrote decides

    def advance(self, documents: DocumentStore, upload: str, change: Body) -> Body:
        """Merge what a step found into an upload's document, unless another run has claimed the upload meanwhile.

        Raises
        ------
        DocumentNotFound
            The upload was purged meanwhile.
        """

        def merged(stored: Body) -> Body:
            if not self.may_answer(stored):
                return stored
            return stored | change | {"run_id": self.run_id} | _heard_now()

        return documents.update(upload, merged).body


def _heard_now() -> Body:
    """A sign of life. The times of a document are those of its states, and a run works on one state for long."""
    return {"heard": datetime.now(UTC).isoformat()}


def _last_sign(body: Body) -> datetime:
    # Documents of older versions tell only when they reached a state.
    signs = [body["heard"]] if "heard" in body else body["times"].values()
    return max(map(datetime.fromisoformat, signs))
