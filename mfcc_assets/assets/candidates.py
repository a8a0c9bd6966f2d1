"""The index, and the candidates that it picks."""

import dagster as dg

from mfcc_assets.assets.answering import answering_run
from mfcc_assets.assets.cepstra import soundtrack_summaries, upload_cepstra, upload_metadata
from mfcc_assets.assets.policies import library_asset, soundtrack_asset, upload_asset
from mfcc_assets.assets.presentation import table_as_markdown, uploads_as_markdown
from mfcc_assets.library import Library
from mfcc_assets.stages.indexing import build_index
from mfcc_assets.stages.ranking import find_candidates
from mfcc_assets.stages.uploading import find_upload_candidates


@library_asset(deps=[soundtrack_summaries], kinds={"python", "faiss"}, code_version="1")
def prefilter_index(library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Vector index over the embeddings of all tracks, under a version of its own; it answers once it is published."""
    built = build_index(library)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(built.index.tracks),
            "added": built.added,
            "removed": built.removed,
            "written": built.written,
            "index_version": built.index.version,
            "features_version": built.index.parameters.features.version,
            "ranking": built.index.parameters.ranking,
            "scales": table_as_markdown(
                ("coefficient", "deviation over the library"),
                [(f"COE_{number}", f"{scale:.3f}") for number, scale in enumerate(built.index.scales, start=1)],
            ),
        }
    )


@dg.asset_check(asset=prefilter_index, blocking=True, description="Every analysed track is in the index, no other is.")
def index_is_complete(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    indexed = set(library.indexes.read(library.indexes.built_version()).tracks)
    analysed = set(library.tables.audio())
    return dg.AssetCheckResult(
        passed=indexed == analysed,
        metadata={"missing": len(analysed - indexed), "superfluous": len(indexed - analysed)},
    )


@dg.asset_check(asset=prefilter_index, blocking=True, description="All features in the index are of one version.")
def features_are_of_one_version(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    index = library.indexes.read(library.indexes.built_version())
    parameters = index.parameters.features
    other = set(index.tracks) - library.features.audio_with_summary(parameters)
    return dg.AssetCheckResult(
        passed=not other and parameters == library.settings.features,
        metadata={"features_version": parameters.version, "of_another_version": len(other)},
    )


@soundtrack_asset(deps=[prefilter_index], kinds={"python", "faiss"}, code_version="1")
def soundtrack_candidates(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """For every track the nearest others by their embeddings: what is worth comparing in full."""
    index = library.indexes.read(library.indexes.built_version())
    for shard, report in find_candidates(library, index, context.partition_keys):
        context.add_asset_metadata(
            {"dagster/row_count": report.kept, "pairs_computed": report.compared}, partition_key=shard
        )
    return dg.MaterializeResult(metadata={"index_version": index.version})


@upload_asset(deps=[upload_cepstra, upload_metadata, "published_index"], kinds={"python", "faiss"}, code_version="1")
def upload_candidates(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """For an upload the nearest tracks of the published index."""
    found = find_upload_candidates(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(found)})
