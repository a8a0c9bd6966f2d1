"""Assets of uploads, in the order of the data flow. Each asset is one step of `mfcc_assets.pipeline.uploads`."""

from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.assets.library import published_index
from mfcc_assets.defs.assets.shared import recommendations_as_table, upload_asset, uploads_as_markdown
from mfcc_assets.defs.partitions import FILES_TAG, files_tag
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answering_run import AnsweringRun, document_of
from mfcc_assets.pipeline.upload_features import get_ready_to_analyse
from mfcc_assets.pipeline.uploads import (
    analyse_uploads,
    find_upload_candidates,
    rank_uploads,
    receive_uploads,
    recognise_uploads,
    recommend_for_uploads,
)
from mfcc_assets.texts import printable

BACKFILL_TAG = "dagster/backfill"
"""Tag of the runs of a backfill. "Materialize all" in the UI is a backfill over all partitions."""

KEPT = (
    "%d of %d uploads keep their answers: a backfill, such as Materialize all, answers only uploads without an answer. "
    "To answer one again, materialize its partition alone."
)


def answering_run(context: dg.AssetExecutionContext, library: Library) -> AnsweringRun:
    """Describe the present run, and let it ask this Dagster whether other runs have ended."""

    def has_ended(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    record = context.instance.get_run_record_by_id(context.run.run_id)
    requested = record.create_timestamp.astimezone(UTC) if record else datetime.now(UTC)
    return AnsweringRun(
        context.run.run_id,
        requested,
        has_ended,
        library.settings.claim_seconds,
        keeps_answers=BACKFILL_TAG in context.run.tags,
    )


def uploads_of(context: dg.AssetExecutionContext) -> list[UploadId]:
    """Return the ids of the uploads that the present run answers."""
    return [UploadId(key) for key in context.partition_keys]


@upload_asset(kinds={"python", "json"}, code_version="1")
def raw_upload(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The file of a listener, copied from the container `uploads` to `batch`, and the document of the upload.

    The document is stored in the document store. Every later step writes its progress and its results there.
    """
    get_ready_to_analyse()
    run = answering_run(context, library)
    received = receive_uploads(library, uploads_of(context), run=run)
    names = [document.file_name for document in received]
    if FILES_TAG not in context.run.tags:  # the sensor adds it, but nobody else does
        context.instance.add_run_tags(context.run.run_id, files_tag(names))
    kept = sum(not run.may_answer(document) for document in received) if run.keeps_answers else 0
    if kept:
        context.log.info(KEPT, kept, len(received))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(received)})


@upload_asset(deps=[raw_upload, published_index], kinds={"python", "parquet"}, code_version="1")
def upload_cepstra(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The cepstra and track features of an upload, computed with the parameters of the published index.

    They are stored as Parquet in the container `cepstra`.
    """
    analysed = analyse_uploads(library, uploads_of(context), run=answering_run(context, library))
    seconds = round(sum(document.seconds or 0 for document in analysed), 1)
    return dg.MaterializeResult(metadata={"seconds_of_audio": seconds, "uploads": uploads_as_markdown(analysed)})


@upload_asset(deps=[upload_cepstra, published_index], kinds={"python", "json"}, code_version="1")
def upload_metadata(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Title and artist of an upload, and the recogniser that identified it, for example the library or the tags.

    They are stored in the document of the upload.
    """
    asked = recognise_uploads(library, uploads_of(context), run=answering_run(context, library))
    recognised = sum(document.recognised is not None for document in asked)
    return dg.MaterializeResult(metadata={"recognised": recognised, "uploads": uploads_as_markdown(asked)})


@upload_asset(deps=[upload_cepstra, upload_metadata, published_index], kinds={"python", "faiss"}, code_version="1")
def upload_candidates(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The candidates of an upload: the tracks of the published index that may be nearest to it.

    They are stored beside the index.
    """
    found = find_upload_candidates(library, uploads_of(context), run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(found)})


@upload_asset(deps=[upload_candidates], kinds={"python", "numba"}, code_version="1")
def upload_ranking(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The candidates of an upload in the order of their full distance, stored beside the index."""
    ranked = rank_uploads(library, uploads_of(context), run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(ranked)})


@upload_asset(deps=[upload_ranking], kinds={"python", "sql"}, code_version="1")
def upload_recommendations(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """Rows of the table RECOMMENDATIONS for an upload. When they are stored, its document is marked as answered."""
    answered = recommend_for_uploads(library, uploads_of(context), run=answering_run(context, library))
    for upload in uploads_of(context):
        document = document_of(library.documents, upload)
        if document is None:
            continue
        context.add_asset_metadata(
            {
                "file": printable(document.file_name),
                "recommendations": recommendations_as_table(library.recommendations.recommended(upload)),
            },
            partition_key=upload,
        )
    rows = sum(document.recommendations or 0 for document in answered)
    table = {"dagster/row_count": library.recommendations.count()}
    return dg.MaterializeResult(metadata={**table, "rows": rows, "uploads": uploads_as_markdown(answered)})
