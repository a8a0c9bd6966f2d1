"""How good the recommendations are, and what the library is made of."""

import dagster as dg

from mfcc_assets.assets.policies import library_asset
from mfcc_assets.assets.reranking import soundtrack_rankings
from mfcc_assets.library import Library
from mfcc_assets.stages.indexing import judge_quality, measure_quality, unusable_rankings


@library_asset(deps=[soundtrack_rankings], kinds={"python", "json"}, code_version="1")
def recommendation_quality(library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Precision by artist, hubness and recall of the rankings that are about to be published."""
    version = library.indexes.built_version()
    quality = measure_quality(library, version)
    precision = quality.precision
    return dg.MaterializeResult(
        metadata={
            "index_version": version,
            "queries": precision.queries if precision else 0,
            **({"precision_at_1": precision.at_1, "precision_at_5": precision.at_5} if precision else {}),
            **({"hit_at_5": precision.hit_at_5} if precision else {}),
            "recall": quality.recall,
            "hub_skewness": quality.hubness.skewness,
            "largest_hub": quality.hubness.largest,
            "never_recommended": quality.hubness.never_recommended,
        }
    )


@dg.asset_check(
    asset=recommendation_quality, blocking=True, description="Every track has a ranking, of tracks that exist."
)
def rankings_are_complete(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    missing, unknown = unusable_rankings(library, library.indexes.built_version())
    return dg.AssetCheckResult(
        passed=not missing and not unknown,
        metadata={"tracks_without_ranking": len(missing), "unknown_tracks": len(unknown)},
    )


@dg.asset_check(
    asset=recommendation_quality, blocking=True, description="Precision is not below that of the published index."
)
def quality_holds(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    verdict = judge_quality(library, library.indexes.built_version())
    figures = {"precision_at_5": verdict.candidate, "published_precision_at_5": verdict.published}
    return dg.AssetCheckResult(
        passed=verdict.allowed, metadata={name: figure for name, figure in figures.items() if figure is not None}
    )
