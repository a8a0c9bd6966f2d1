"""Features of audio: cepstra, and the summaries made of them."""

import time

import dagster as dg

from mfcc_assets.assets.answering import answering_run
from mfcc_assets.assets.policies import soundtrack_asset, upload_asset
from mfcc_assets.assets.presentation import (
    add_counts,
    add_seconds,
    pictures_as_markdown,
    table_as_markdown,
    uploads_as_markdown,
)
from mfcc_assets.assets.raw import raw_soundtracks, raw_upload
from mfcc_assets.core.plots import heat_map
from mfcc_assets.library import Library
from mfcc_assets.stages.analysing import (
    COMPUTED,
    REJECTED,
    REUSED,
    UNCHANGED,
    analyse_soundtracks,
    summarise_soundtracks,
)
from mfcc_assets.stages.uploading import analyse_uploads, recognise_uploads

HEAT_MAPS_SHOWN = 3
HEAT_MAP_SECONDS = 300
"""A picture shows no more: of a recording of two hours each column of pixels would be a dozen seconds."""
SECONDS_BETWEEN_LOG_LINES = 10


@soundtrack_asset(deps=[raw_soundtracks], kinds={"python", "parquet"}, code_version="1")
def soundtrack_cepstra(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Mel-frequency cepstral coefficients, COE_1 to COE_13, 100 frames a second; a file an audio."""
    last_line = time.monotonic()

    def log_progress(done: int, total: int) -> None:
        nonlocal last_line
        if time.monotonic() - last_line > SECONDS_BETWEEN_LOG_LINES:
            last_line = time.monotonic()
            context.log.info(f"{done} of {total} files analysed")

    report = analyse_soundtracks(library, context.partition_keys, run_id=context.run.run_id, on_progress=log_progress)
    parameters = library.settings.features.cepstra
    outcomes = (COMPUTED, REUSED, UNCHANGED, REJECTED)
    add_counts(context, report.outcomes, outcomes, digits=library.settings.shard_digits)
    add_seconds(context, report.seconds, digits=library.settings.shard_digits)
    shown = sorted(report.computed.items(), key=lambda item: item[1])[:HEAT_MAPS_SHOWN]
    return dg.MaterializeResult(
        metadata={
            "cepstra_version": parameters.version,
            "rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in report.rejects]),
            "notes": table_as_markdown(("note",), [(note,) for note in report.notes]),
            "heat_maps": pictures_as_markdown(
                heat_map(library.features.read_cepstra(audio, parameters, seconds=HEAT_MAP_SECONDS), name)
                for audio, name in shown
            ),
        }
    )


@dg.asset_check(asset=soundtrack_cepstra, description="Every file in the library could be used.")
def no_soundtrack_is_rejected(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    rejects = [reject for reject in library.tables.rejects() if reject.container == "soundtracks"]
    return dg.AssetCheckResult(
        passed=not rejects,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in rejects])},
    )


@soundtrack_asset(deps=[soundtrack_cepstra], kinds={"python", "parquet"}, code_version="1")
def soundtrack_summaries(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """What is kept of a track for comparing it: Gaussian, contour, embedding, and the sketch that recognises it."""
    outcomes = summarise_soundtracks(library, context.partition_keys)
    add_counts(context, outcomes, (COMPUTED, UNCHANGED), digits=library.settings.shard_digits)
    return dg.MaterializeResult(metadata={"features_version": library.settings.features.version})


@upload_asset(deps=[raw_upload, "published_index"], kinds={"python", "parquet"}, code_version="1")
def upload_cepstra(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Cepstra and summary of an upload, made in the way of the published index."""
    analysed = analyse_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(
        metadata={
            "seconds_of_audio": round(sum(document.get("seconds", 0) for document in analysed), 1),
            "uploads": uploads_as_markdown(analysed),
        }
    )


@upload_asset(deps=[upload_cepstra, "published_index"], kinds={"python", "json"}, code_version="1")
def upload_metadata(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Who the upload is, and by whom it was recognised: by the library's own recordings, or by its tags."""
    recognised = recognise_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(
        metadata={
            "recognised": sum(document.get("recognised") is not None for document in recognised),
            "uploads": uploads_as_markdown(recognised),
        }
    )
