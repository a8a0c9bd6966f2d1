"""How good the recommendations are, and what the library is made of."""

import dagster as dg

from mfcc_assets.assets.policies import library_asset
from mfcc_assets.assets.presentation import pictures_as_markdown
from mfcc_assets.assets.reranking import soundtrack_rankings
from mfcc_assets.core.evaluation import Precision
from mfcc_assets.library import Library
from mfcc_assets.stages.publishing import judge_quality, unusable_rankings
from mfcc_assets.stages.quality import measure_quality, picture_of_history


@library_asset(deps=[soundtrack_rankings], kinds={"python", "json"}, code_version="1")
def recommendation_quality(library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """Precision by artist, hubness and recall of the rankings that are about to be published, and how they changed."""
    version = library.indexes.built_version()
    quality = measure_quality(library, version)
    return dg.MaterializeResult(
        metadata={
            "index_version": version,
            "queries": quality.precision.queries if quality.precision else 0,
            **_precision_as_metadata(quality.precision, ""),
            **_precision_as_metadata(quality.other_albums, "_without_own_album"),
            "recall": quality.recall,
            "hub_skewness": quality.hubness.skewness,
            "largest_hub": quality.hubness.largest,
            "never_recommended": quality.hubness.never_recommended,
            "history": pictures_as_markdown([picture_of_history(library, version)]),
        }
    )


def _precision_as_metadata(precision: Precision | None, suffix: str) -> dict[str, float]:
    if precision is None:
        return {}
    figures = {"precision_at_1": precision.at_1, "precision_at_5": precision.at_5, "hit_at_5": precision.hit_at_5}
    return {f"{name}{suffix}": figure for name, figure in figures.items()}


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
    asset=recommendation_quality,
    blocking=True,
    description="Precision and reach are not below those of the published index by more than the margin.",
)
def quality_holds(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    version = library.indexes.built_version()
    verdict = judge_quality(library, version)
    return dg.AssetCheckResult(
        passed=verdict.allowed,
        description="; ".join(verdict.faults) or None,
        metadata={"index_version": version, "margin": library.settings.quality_margin, **verdict.figures},
    )
