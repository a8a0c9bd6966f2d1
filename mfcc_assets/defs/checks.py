"""Checks of the library's assets. An index is published only if its blocking checks have passed."""

from datetime import UTC, datetime
from functools import partial

import dagster as dg

from mfcc_assets.defs.assets.library import (
    prefilter_index,
    recommendation_quality,
    soundtrack_cepstra,
    soundtrack_recommendations,
)
from mfcc_assets.defs.assets.shared import table_as_markdown
from mfcc_assets.defs.assets.uploads import upload_recommendations
from mfcc_assets.defs.private.one_library_run import LIBRARY_POOL
from mfcc_assets.defs.private.pictures import shown_pictures
from mfcc_assets.library import Library
from mfcc_assets.pipeline.late_answers import ANSWERED_WITHIN, late_answers
from mfcc_assets.pipeline.publication import (
    how_to_publish,
    judge_quality,
    misfits,
    tracks_of_other_features,
    unusable_rankings,
)
from mfcc_assets.pipeline.reference import compare_with_published
from mfcc_assets.storage.blobs.port import SOUNDTRACKS

ANSWERED_IN_TIME = "uploads_are_answered_within_a_minute"

library_check = partial(dg.asset_check, pool=LIBRARY_POOL)
"""Decorator of a check of the library, which runs while nothing changes the library."""


@library_check(
    asset=prefilter_index, blocking=True, description="The index contains every analysed track and no others."
)
def index_is_complete(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    missing, superfluous = misfits(library, library.indexes.built_version())
    return dg.AssetCheckResult(
        passed=not missing and not superfluous,
        metadata={"missing": len(missing), "superfluous": len(superfluous)},
    )


@library_check(asset=prefilter_index, blocking=True, description="All features in the index have the same version.")
def features_are_of_one_version(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> dg.AssetCheckResult:
    version = library.indexes.built_version()
    parameters = library.indexes.read(version).parameters.features
    other = tracks_of_other_features(library, version, context.run.run_id)
    return dg.AssetCheckResult(
        passed=not other and parameters == library.feature_parameters,
        metadata={"features_version": parameters.version, "of_another_version": len(other)},
    )


@library_check(asset=soundtrack_cepstra, description="Every file in the library could be used.")
def no_soundtrack_is_rejected(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    rejects = [reject for reject in library.catalogue.rejects() if reject.container == SOUNDTRACKS]
    return dg.AssetCheckResult(
        passed=not rejects,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in rejects])},
    )


@library_check(
    asset=recommendation_quality,
    blocking=True,
    description="Every track has a ranking, and the ranking names only existing tracks.",
)
def rankings_are_complete(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    missing, unknown = unusable_rankings(library, library.indexes.built_version())
    return dg.AssetCheckResult(
        passed=not missing and not unknown,
        metadata={"tracks_without_ranking": len(missing), "unknown_tracks": len(unknown)},
    )


@library_check(
    asset=recommendation_quality,
    blocking=True,
    description="Neither precision nor the share of tracks that are never recommended is worse than that of the "
    "published index by more than the margin.",
)
def quality_holds(context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    version = library.indexes.built_version()
    verdict = judge_quality(library, version, run_id=context.run.run_id)
    return dg.AssetCheckResult(
        passed=verdict.allowed,
        description=f"{'; '.join(verdict.faults)}. {how_to_publish(version)}" if verdict.faults else None,
        metadata={"index_version": version, "margin": library.settings.quality_margin, **verdict.figures},
    )


@library_check(asset=soundtrack_recommendations, description="Every recommendation names a track that still exists.")
def recommendations_name_existing_tracks(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    dangling = library.recommendations.dangling_recommendations()
    return dg.AssetCheckResult(passed=dangling == 0, metadata={"dangling": dangling})


@library_check(
    asset=soundtrack_cepstra,
    # The check takes a few seconds, so it runs after the recommendations.
    additional_deps=[soundtrack_recommendations],
    description="The cepstra of a few tracks equal those that librosa and python_speech_features compute.",
)
def features_match_reference(
    context: dg.AssetCheckExecutionContext, library: dg.ResourceParam[Library]
) -> dg.AssetCheckResult:
    report = compare_with_published(library, run_id=context.run.run_id)
    pair = report.pair
    # Adding zero turns a rounded -0.0 into 0.0.
    excess = (
        f"{round(pair.excess.percent, 1) + 0.0:.1f} % for COE_{pair.coefficient} of {pair.a} and {pair.b}"
        if pair
        else "none"
    )
    return dg.AssetCheckResult(
        passed=report.matches,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "tracks": table_as_markdown(
                ("track", "frames", "largest difference"),
                [(track.name, track.frames, f"{track.largest_difference:.1e}") for track in report.tracks],
            ),
            "fastdtw_excess": excess,
            "skipped": table_as_markdown(("track", "reason"), list(report.skipped.items())),
            **shown_pictures(
                context.instance,
                context.run.run_id,
                {"Published cepstra": report.picture} if report.picture else {},
            ),
        },
    )


def judge_waiting(library: Library, now: datetime) -> dg.AssetCheckResult:
    """Return whether no upload has been waiting for too long, with those that have."""
    late = late_answers(library, now)
    return dg.AssetCheckResult(
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "allowed": f"{ANSWERED_WITHIN.total_seconds():.0f} s",
            "late": table_as_markdown(
                ("file", "state", "waits for"),
                [(one.file_name, one.state, f"{one.waited.total_seconds():.0f} s") for one in late],
            ),
        },
    )


@dg.asset_check(
    asset=upload_recommendations, name=ANSWERED_IN_TIME, description="No upload waits for its answer for over a minute."
)
def uploads_are_answered_within_a_minute(library: dg.ResourceParam[Library]) -> dg.AssetCheckResult:
    return judge_waiting(library, datetime.now(UTC))
