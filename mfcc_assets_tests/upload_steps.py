"""The steps that answer uploads, called one after the other without Dagster."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answering_run import AnsweringRun
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.uploads import (
    analyse_uploads,
    find_upload_candidates,
    rank_uploads,
    receive_uploads,
    recognise_uploads,
    recommend_for_uploads,
)

STEPS_AFTER_RECEIPT = [
    analyse_uploads,
    recognise_uploads,
    find_upload_candidates,
    rank_uploads,
    recommend_for_uploads,
]
STEPS = [receive_uploads, *STEPS_AFTER_RECEIPT]

AN_HOUR = 3600.0


def answering_run(
    name: str, *, has_ended: Callable[[str], bool] = lambda _: False, claim_seconds: float = AN_HOUR
) -> AnsweringRun:
    """A run that is requested now."""
    return AnsweringRun(name, datetime.now(UTC), has_ended, claim_seconds)


def answer_uploads(library: Library, uploads: Sequence[UploadId]) -> list[UploadDocument]:
    """Answer uploads in one run, and return their documents."""
    run = answering_run("run")
    for step in STEPS:
        documents = step(library, uploads, run=run)
    return documents
