"""Candidates put in order by dynamic time warping."""

import dagster as dg

from mfcc_assets.assets.answering import answering_run
from mfcc_assets.assets.candidates import soundtrack_candidates, upload_candidates
from mfcc_assets.assets.policies import soundtrack_asset, upload_asset
from mfcc_assets.assets.presentation import uploads_as_markdown
from mfcc_assets.library import Library
from mfcc_assets.stages.ranking import rank_candidates
from mfcc_assets.stages.uploading import rank_uploads


@soundtrack_asset(deps=[soundtrack_candidates], kinds={"python", "numba"}, code_version="1")
def soundtrack_rankings(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """For every track its candidates in the order of their distance; known distances are not computed again."""
    index = library.indexes.read(library.indexes.built_version())
    for shard, report in rank_candidates(library, index, context.partition_keys):
        context.add_asset_metadata(
            {"dagster/row_count": report.kept, "pairs_computed": report.compared}, partition_key=shard
        )
    return dg.MaterializeResult(metadata={"index_version": index.version, "ranking": index.parameters.ranking})


@upload_asset(deps=[upload_candidates], kinds={"python", "numba"}, code_version="1")
def upload_ranking(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """For an upload its candidates in the order of their distance."""
    ranked = rank_uploads(library, context.partition_keys, run=answering_run(context, library))
    return dg.MaterializeResult(metadata={"uploads": uploads_as_markdown(ranked)})
