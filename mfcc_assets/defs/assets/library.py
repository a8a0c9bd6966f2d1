"""Assets of the library, in the order of the data flow."""

import dagster as dg

from mfcc_assets.defs.assets.shared import (
    LAST,
    add_counts,
    add_lists,
    add_seconds,
    column_as_markdown,
    library_asset,
    names_as_markdown,
    progress_log,
    skipped_as_markdown,
    soundtrack_asset,
    table_as_markdown,
)
from mfcc_assets.defs.heavy_work import heavy_work
from mfcc_assets.defs.launch import IN_STAGES
from mfcc_assets.defs.private.pictures import shown_pictures
from mfcc_assets.evaluation.metrics import Precision
from mfcc_assets.features.waveform import WAVEFORM_VERSION
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import random_pairs_of
from mfcc_assets.pipeline.file_classes import FileClass
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.library_report import describe_library, picture_of_coefficients, picture_of_map, popularity
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.progress import Progress, by_shard
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.pipeline.quality import Quality, measure_quality, picture_of_history
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.pipeline.soundtracks import (
    COMPUTED,
    REJECTED,
    REUSED,
    UNCHANGED,
    WAITING,
    analyse_soundtracks,
    compute_features_of_soundtracks,
)
from mfcc_assets.pipeline.stages import size_of_next_stage
from mfcc_assets.pipeline.track_pictures import pictures_of_audio
from mfcc_assets.pipeline.upload_lists import remove_damaged_lists
from mfcc_assets.pipeline.waveforms import store_missing_waveforms
from mfcc_assets.plots.tracks import heat_map
from mfcc_assets.storage.index_store import RECALL


@soundtrack_asset(kinds={"python", "sql"}, code_version="2")
def raw_soundtracks(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """One row of the table SOUNDTRACKS for each file in the container `soundtracks`, with its tags and digests.

    A picture for each file, either embedded in it or drawn, is stored in the container `artworks`. What is no music is
    skipped and counted by kind. A renamed file keeps its row, and so do the files of a folder in place that is away.
    """
    observation = observe_soundtracks(
        library, context.partition_keys, run_id=context.run.run_id, report_progress=progress_log(context, library)
    )
    found, skipped = observation.difference, observation.skipped
    kinds = ("new", "changed", "gone", "unchanged", "renamed")
    digits = library.settings.shard_digits
    totals = add_counts(context, found.outcomes, kinds, observation.track_ids, digits=digits)
    renamed = {f"renamed from {former}": [name] for name, former in observation.former_names.items()}
    names = {"new": found.new, "changed": found.changed, "gone": found.gone, **renamed}
    read = library.catalogue.soundtracks_of_run(context.run.run_id)
    notes = [(track.blob_name, track.tags_note) for track in read if track.tags_note]
    in_library = library.catalogue.progress()[1]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": in_library,
            **totals,
            "soundtracks_in_library": in_library,
            "names": names_as_markdown(names),
            "notes": table_as_markdown(("file", "note"), notes),
            "skipped": skipped_as_markdown(skipped),
            "repairs": column_as_markdown("repair", observation.repairs),
            "away": column_as_markdown("away", observation.away),
        }
    )


HEAT_MAPS_SHOWN = 3

HEAT_MAP_SECONDS = 300
"""Longest part of a track that a heat map shows. Otherwise a column of pixels would cover many seconds."""


@soundtrack_asset(deps=[raw_soundtracks], kinds={"python", "parquet"}, code_version="1")
def soundtrack_cepstra(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The mel-frequency cepstral coefficients COE_1 to COE_13 of every soundtrack, with 100 frames per second.

    They are stored as Parquet in the container `cepstra`, one file for each distinct audio, beside its timbre vector. A
    run of the sensor or of `mfcc add` takes the next stage of the files that wait, and another run takes the others.
    """
    with heavy_work(context, library):
        report = analyse_soundtracks(
            library,
            context.partition_keys,
            run_id=context.run.run_id,
            stage_size=size_of_next_stage(library) if IN_STAGES.items() <= context.run.tags.items() else None,
            report_progress=progress_log(context, library),
        )
    parameters = library.feature_parameters.cepstra
    outcomes = (COMPUTED, REUSED, UNCHANGED, REJECTED, WAITING)
    track_ids = library.catalogue.track_ids()
    totals = add_counts(context, report.outcomes, outcomes, track_ids, digits=library.settings.shard_digits)
    add_seconds(context, report.seconds, track_ids, digits=library.settings.shard_digits)
    shown = report.first_computed(HEAT_MAPS_SHOWN)
    pictures = pictures_of_audio(library, shown[0][1]) if shown else {}
    for number, (audio_id, name) in enumerate(shown, start=1):
        cepstra = library.features.read_cepstra(audio_id, parameters, seconds=HEAT_MAP_SECONDS)
        pictures[f"Heat map of the cepstra {number}"] = heat_map(cepstra, name)
    return dg.MaterializeResult(
        metadata={
            **totals,
            "hours_of_audio_in_library": round(library.catalogue.seconds_of_audio() / 3600, 2),
            "cepstra_version": parameters.version,
            "rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in report.rejects]),
            "notes": column_as_markdown("note", report.notes),
            **shown_pictures(context.instance, context.run.run_id, pictures),
        }
    )


@soundtrack_asset(deps=[soundtrack_cepstra], kinds={"python", "parquet"}, code_version="1", op_tags=LAST)
def soundtrack_waveforms(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The waveform of every soundtrack, which a player draws: at most 1,000 peaks, and the levels of three bands.

    They are stored as Parquet in the container `cepstra`. The analysis of a file stores its waveform. This asset
    computes those of files that were analysed before there were waveforms, and damaged ones.
    """
    outcomes = store_missing_waveforms(
        library, context.partition_keys, run_id=context.run.run_id, report_progress=progress_log(context, library)
    )
    kinds, track_ids = (COMPUTED, UNCHANGED, WAITING), library.catalogue.track_ids()
    totals = add_counts(context, outcomes, kinds, track_ids, digits=library.settings.shard_digits)
    return dg.MaterializeResult(metadata={**totals, "waveform_version": WAVEFORM_VERSION})


@soundtrack_asset(deps=[soundtrack_cepstra], kinds={"python", "parquet"}, code_version="1")
def soundtrack_summaries(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The track features of every soundtrack: mean, covariance, contour, segment means, timbre, treble, fingerprint.

    They are computed from the stored cepstra and timbre, and stored as Parquet in the container `cepstra`. All later
    comparisons of tracks use them.
    """
    with heavy_work(context, library):
        outcomes = compute_features_of_soundtracks(
            library, context.partition_keys, run_id=context.run.run_id, report_progress=progress_log(context, library)
        )
    track_ids = library.catalogue.track_ids()
    totals = add_counts(context, outcomes, (COMPUTED, UNCHANGED), track_ids, digits=library.settings.shard_digits)
    return dg.MaterializeResult(metadata={**totals, "features_version": library.feature_parameters.version})


@library_asset(deps=[soundtrack_summaries], kinds={"python", "faiss"}, code_version="1")
def prefilter_index(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """A new version of the search index over the track features of the whole library.

    It holds a FAISS vector index of all tracks and is stored in the container `cepstra`. It answers no queries before
    it is published.
    """
    show = progress_log(context, library)
    show(Progress("Building the index"))
    with heavy_work(context, library):
        built = build_index(library, run_id=context.run.run_id, report_progress=show)
    return dg.MaterializeResult(
        metadata={
            "summary": f"Tracks in the index: {len(built.index.tracks):,}. Added: {built.added:,}. "
            f"Removed: {built.removed:,}. {built.calibrated_because}".rstrip(),
            "dagster/row_count": len(built.index.tracks),
            "added": built.added,
            "removed": built.removed,
            "written": built.written,
            "calibrated_because": built.calibrated_because or "the calibration was kept",
            "repaired": column_as_markdown("damage", built.repaired),
            "index_version": built.index.version,
            "features_version": built.index.parameters.features.version,
            "ranking": built.index.parameters.ranking,
            "scales": table_as_markdown(
                ("coefficient", "deviation over the library"),
                [(f"COE_{number}", f"{scale:.3f}") for number, scale in enumerate(built.index.scales, start=1)],
            ),
        }
    )


@soundtrack_asset(deps=[prefilter_index], kinds={"python", "faiss"}, code_version="1")
def soundtrack_candidates(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """The candidates of every soundtrack: the tracks in its window that coarse contours find nearest.

    Only candidates are compared in full. They are stored beside the index. A version stores only lists that changed.
    """
    index = library.indexes.read(library.indexes.built_version())
    shards, show = context.partition_keys, progress_log(context, library)
    found = by_shard(show, "Finding candidates", find_candidates(library, index, shards, report_progress=show), shards)
    with heavy_work(context, library):
        totals = add_lists(context, found, "candidates")
    return dg.MaterializeResult(metadata={**totals, "index_version": index.version})


@soundtrack_asset(deps=[soundtrack_candidates], kinds={"python", "numba"}, code_version="1")
def soundtrack_rankings(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The candidates of every soundtrack in the order of their full distance, with the distances.

    Distances that an earlier version computed are reused. The lists are stored beside the index. A
    version stores only those that changed.
    """
    index = library.indexes.read(library.indexes.built_version())
    shards, show = context.partition_keys, progress_log(context, library)
    ranked = by_shard(show, "Ranking", rank_candidates(library, index, shards, report_progress=show), shards)
    with heavy_work(context, library):
        totals = add_lists(context, ranked, "ranked")
    repairs = remove_damaged_lists(library)
    return dg.MaterializeResult(
        metadata={
            **totals,
            "index_version": index.version,
            "ranking": index.parameters.ranking,
            "repairs": column_as_markdown("repair", repairs),
        }
    )


@library_asset(deps=[soundtrack_rankings], kinds={"python", "json"}, code_version="2")
def recommendation_quality(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """The measured quality of the rankings that are about to be published: precision by artist, hubness and recall.

    It is stored beside the index. The checks compare it with the quality of the published index, and a plot shows how
    it changed from index to index. Two tables show how many recommendations are of the query's own format and bit rate,
    beside the share that chance gives. Larger shares mean that the recommendations follow the coding of the files.
    """
    version = library.indexes.built_version()
    progress_log(context, library)(Progress("Measuring quality"))
    with heavy_work(context, library):
        quality = measure_quality(library, version, run_id=context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "summary": _in_words(quality),
            "index_version": version,
            "queries": quality.precision.queries if quality.precision else 0,
            **_precision_as_metadata(quality.precision, ""),
            **_precision_as_metadata(quality.other_albums, "_without_own_album"),
            **({} if quality.recall is None else {"recall": round(quality.recall, 3)}),
            "hub_skewness": round(quality.hubness.skewness, 2),
            "largest_hub": quality.hubness.largest,
            "never_recommended": round(quality.hubness.never_recommended, 3),
            "same_format": _classes_as_markdown("format", quality.formats),
            "same_bit_rate": _classes_as_markdown("bit rate", quality.bit_rates),
            **shown_pictures(
                context.instance, context.run.run_id, {"History of the quality": picture_of_history(library, version)}
            ),
        }
    )


def _classes_as_markdown(of_what: str, classes: list[FileClass]) -> dg.MarkdownMetadataValue:
    return table_as_markdown(
        (of_what, "tracks", f"recommendations of the same {of_what}", "by chance"),
        [(one.name, one.tracks, f"{one.own.same:.1%}", f"{one.own.by_chance:.1%}") for one in classes if one.own],
    )


def _in_words(quality: Quality) -> str:
    """Return the figures that matter most, as sentences."""
    precision, hubness = quality.precision, quality.hubness
    by_artist = (
        f"Of the first five recommendations of a track, {precision.at_5:.1%} are by its own artist. "
        if precision
        else "Too few tracks have an artist in their tags to measure the precision. "
    )
    by_search = (
        "The recall of the search was not measured, because the rankings of some shards are missing. "
        if quality.recall is None
        else f"The search finds {quality.recall:.1%} of the truly nearest tracks. "
    )
    return (
        f"{by_artist}{by_search}"
        f"{hubness.never_recommended:.1%} of the tracks are never recommended, and the track recommended most often is "
        f"in {hubness.largest:,} lists."
    )


def _precision_as_metadata(precision: Precision | None, suffix: str) -> dict[str, float]:
    if precision is None:
        return {}
    figures = {"precision_at_1": precision.at_1, "precision_at_5": precision.at_5, "hit_at_5": precision.hit_at_5}
    return {f"{name}{suffix}": round(figure, 3) for name, figure in figures.items()}


_STORED_QUALITY = {
    "at_5": "precision_at_5",
    "other_albums_at_5": "precision_at_5_without_own_album",
    RECALL: "recall",
    "skewness": "hub_skewness",
    "largest": "largest_hub",
    "never_recommended": "never_recommended",
}
"""The names of stored figures, and of the same figures in `recommendation_quality`."""


@library_asset(deps=[recommendation_quality], kinds={"python", "json"}, code_version="1")
def published_index(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """The pointer to the version of the index that answers queries.

    It moves to the version that was built last after all blocking checks have passed. A version that was withdrawn with
    `mfcc index rollback` answers again only after somebody publishes it by hand.
    """
    published = publish_built_index(library, run_id=context.run.run_id)
    figures = library.indexes.read_quality(published.version)
    withheld = f"{published.withheld} was withdrawn: `mfcc index publish {published.withheld}` publishes it again"
    return dg.MaterializeResult(
        metadata={
            "summary": f"Index {published.version} answers queries.",
            "index_version": published.version,
            "former_version": published.former or "none",
            **({"withheld": withheld} if published.withheld else {}),
            **{
                shown: round(figure, 3)
                for name, shown in _STORED_QUALITY.items()
                if (figure := figures.get(name)) is not None
            },
        }
    )


@soundtrack_asset(deps=[published_index, soundtrack_rankings], kinds={"python", "sql"}, code_version="1")
def soundtrack_recommendations(
    context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]
) -> dg.MaterializeResult:
    """Rows of the table RECOMMENDATIONS: the tracks that are recommended for each soundtrack, with rank and distance.

    The view RECOMMENDED_SOUNDTRACKS joins them with the rows of the recommended tracks in SOUNDTRACKS.
    """
    index, shards = library.indexes.published(), context.partition_keys
    reports = recommend_soundtracks(library, index, shards, run_id=context.run.run_id)
    queries = written = 0
    for shard, report in by_shard(progress_log(context, library), "Writing recommendations", reports, shards):
        context.add_asset_metadata({"queries": report.queries, "rows_written": report.written}, partition_key=shard)
        queries, written = queries + report.queries, written + report.written
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": library.recommendations.count(),
            "summary": f"Soundtracks with recommendations from index {index.version}: {queries:,}. "
            f"Rows of their lists that this run wrote: {written:,}. All others were right already.",
            "total_queries": queries,
            "total_rows_written": written,
            "index_version": index.version,
        }
    )


@library_asset(deps=[soundtrack_recommendations], kinds={"python"}, code_version="2")
def library_report(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> dg.MaterializeResult:
    """A report on the library: states of files, duplicates, rejects, the tracks recommended most and those never.

    It also plots the distribution of the coefficients and a map of the library. All of it is shown as metadata of this
    asset.
    """
    report = describe_library(library)
    index = library.indexes.published_if_usable()
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(report.states.items()))
    number, noun = f"{len(report.soundtracks):,}", "soundtrack" if len(report.soundtracks) == 1 else "soundtracks"
    metadata: dict[str, dg.MetadataValue | float | str] = {
        "summary": f"The library has {number} {noun}: {states or 'none'}.",
        "dagster/row_count": len(report.soundtracks),
    }
    if index is not None and index.tracks:
        popular = popularity(library, index, report.soundtracks)
        pictures = {
            "Map of the library": picture_of_map(library, index, report.soundtracks),
            "Distribution of the coefficients": picture_of_coefficients(library, index),
        }
        metadata |= shown_pictures(context.instance, context.run.run_id, pictures)
        metadata |= {
            "hubs": table_as_markdown(("most recommended", "lists"), popular.hubs),
            "orphans": column_as_markdown("never recommended", popular.orphans),
            "usual_distance": round(random_pairs_of(library, index).median_distance, 3),
        }
    metadata |= {
        "states": table_as_markdown(("state", "tracks"), sorted(report.states.items())),
        "duplicates": column_as_markdown("the same audio", map(", ".join, report.duplicates)),
        "rejects": table_as_markdown(("file", "reason"), [(r.blob_name, r.reason) for r in report.rejects]),
    }
    return dg.MaterializeResult(metadata=metadata)
