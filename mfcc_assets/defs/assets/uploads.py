"""Assets of uploads, in the order the data flows."""

from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.assets.library import published_index
from mfcc_assets.defs.assets.shared import (
    upload_asset,
    uploads_as_markdown,
)
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import AnsweringRun
from mfcc_assets.pipeline.uploads import (
    analyse_uploads,
    find_upload_candidates,
    rank_uploads,
    receive_uploads,
    recognise_uploads,
    recommend_for_uploads,
)


def answering_run(context: dg.AssetExecutionContext, library: Library) -> AnsweringRun:
    """The present run, with what this Dagster knows of others."""

    def has_ended(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    record = context.instance.get_run_record_by_id(context.run.run_id)
    requested = record.create_timestamp.astimezone(UTC) if record else datetime.now(UTC)
    return AnsweringRun(context.run.run_id, requested, has_ended, library.settings.claim_seconds)


@upload_asset(kinds={"python", "json"}, code_version="1")
def raw_upload(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """A listener's file, copied from `uploads` to `batch`, and the document that follows it through its life."""
    received = receive_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(received)})


@upload_asset(deps=[raw_upload, published_index], kinds={"python", "parquet"}, code_version="1")
def upload_cepstra(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Cepstra and summary of an upload, made in the way of the published index."""
    analysed = analyse_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(
        metadata={
            "seconds_of_audio": round(sum(document.get("seconds", 0) for document in analysed), 1),
            "uploads": uploads_as_markdown(analysed),
        }
    )


@upload_asset(deps=[upload_cepstra, published_index], kinds={"python", "json"}, code_version="1")
def upload_metadata(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Who the upload is, and by whom it was recognised: by the library's own recordings, or by its tags."""
    recognised = recognise_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(
        metadata={
            "recognised": sum(document.get("recognised") is not None for document in recognised),
            "uploads": uploads_as_markdown(recognised),
        }
    )


@upload_asset(deps=[upload_cepstra, upload_metadata, published_index], kinds={"python", "faiss"}, code_version="1")
def upload_candidates(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """For an upload the nearest tracks of the published index."""
    found = find_upload_candidates(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(found)})


@upload_asset(deps=[upload_candidates], kinds={"python", "numba"}, code_version="1")
def upload_ranking(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """For an upload its candidates in the order of their distance."""
    ranked = rank_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(ranked)})


@upload_asset(deps=[upload_ranking], kinds={"python", "sql"}, code_version="1")
def upload_recommendations(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """Rows of RECOMMENDATIONS for an upload, and the end of its document's life."""
    answered = recommend_for_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(
        metadata={
            "rows": sum(document.get("recommendations", 0) for document in answered),
            "uploads": uploads_as_markdown(answered),
        }
    )
