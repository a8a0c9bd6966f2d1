"""Publication, and the rows that serve recommendations."""

import dagster as dg

from mfcc_assets.assets.answering import answering_run
from mfcc_assets.assets.policies import library_asset, soundtrack_asset, upload_asset
from mfcc_assets.assets.presentation import pictures_as_markdown, table_as_markdown, uploads_as_markdown
from mfcc_assets.assets.quality import recommendation_quality
from mfcc_assets.assets.reranking import soundtrack_rankings, upload_ranking
from mfcc_assets.library import Library
from mfcc_assets.stages.explaining import control_of
from mfcc_assets.stages.publishing import publish_built_index
from mfcc_assets.stages.ranking import recommend_soundtracks
from mfcc_assets.stages.reporting import describe_library, picture_of_coefficients, picture_of_map, popularity
from mfcc_assets.stages.uploading import recommend_for_uploads


@library_asset(deps=[recommendation_quality], kinds={"python", "json"}, code_version="1")
def published_index(library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The pointer to the index that answers; the index built last becomes it once all checks before it have passed.

    One that was withdrawn, by `mfcc index rollback`, does not until somebody publishes it by hand.
    """
    published = publish_built_index(library)
    figures = library.indexes.read_quality(published.version).items()
    withheld = f"{published.withheld} was withdrawn: `mfcc index publish {published.withheld}` lets it answer"
    return dg.MaterializeResult(
        metadata={
            "index_version": published.version,
            "former_version": published.former or "none",
            **({"withheld": withheld} if published.withheld else {}),
            **{name: figure for name, figure in figures if figure is not None},
        }
    )


@soundtrack_asset(deps=[published_index, soundtrack_rankings], kinds={"python", "sql"}, code_version="1")
def soundtrack_recommendations(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """Rows of RECOMMENDATIONS for every track of the library; the view RECOMMENDED_SOUNDTRACKS serves them."""
    index = library.indexes.published()
    for shard, report in recommend_soundtracks(library, index, context.partition_keys, run_id=context.run.run_id):
        context.add_asset_metadata({"queries": report.queries, "rows_written": report.written}, partition_key=shard)
    return dg.MaterializeResult(metadata={"index_version": index.version})


@dg.asset_check(asset=soundtrack_recommendations, description="No recommendation names a track that is gone.")
def recommendations_name_existing_tracks(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    dangling = library.tables.dangling_recommendations()
    return dg.AssetCheckResult(passed=dangling == 0, metadata={"dangling": dangling})


@library_asset(deps=[soundtrack_recommendations], kinds={"python"}, code_version="2")
def library_report(library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """What the library is made of: states, duplicates and rejects, its coefficients, a map, and who is recommended."""
    report = describe_library(library)
    index = library.indexes.published_if_usable()
    metadata: dict[str, dg.MetadataValue | float] = {
        "dagster/row_count": len(report.soundtracks),
        "states": table_as_markdown(("state", "tracks"), sorted(report.states.items())),
        "duplicates": table_as_markdown(("the same audio",), [(", ".join(names),) for names in report.duplicates]),
        "rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in report.rejects]),
    }
    if index is not None and index.tracks:
        popular = popularity(library, index, report.soundtracks)
        metadata |= {
            "coefficients": pictures_as_markdown([picture_of_coefficients(library, index)]),
            "map": pictures_as_markdown([picture_of_map(library, index, report.soundtracks)]),
            "hubs": table_as_markdown(("most recommended", "lists"), popular.hubs),
            "orphans": table_as_markdown(("never recommended",), [(name,) for name in popular.orphans]),
            # Measured here, so that nobody who asks why two tracks are alike waits for it.
            "usual_distance": control_of(library, index).usual,
        }
    return dg.MaterializeResult(metadata=metadata)


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
