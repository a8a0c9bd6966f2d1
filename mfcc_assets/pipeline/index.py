"""Build the index of a library from the stored features, and repair the published one."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.compute.port import Work
from mfcc_assets.errors import CorruptIndex, FeaturesMissing, MfccError, NoPublishedIndex, UnknownRanking
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import statistics_work
from mfcc_assets.pipeline.failed_work import FailedWork, name_of_audio, succeeded
from mfcc_assets.pipeline.feature_repair import repaired
from mfcc_assets.pipeline.progress import Report, Tally, start_of_engine, unseen
from mfcc_assets.playlists.selection import considered_count
from mfcc_assets.search.builder import SMALL_LIBRARY, IndexBuilder
from mfcc_assets.search.compaction import compacted
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.shared_neighbours import REORDERED

_logger = logging.getLogger(__name__)

_ITEMS_AT_ONCE = 5_000
"""Number of tracks whose numbers an engine gets at a time. They take about 150 MB."""

_MEASURED_AT_ONCE = 4


@dataclass(frozen=True)
class BuiltIndex:
    """An index, and how it differs from the published one.

    Attributes
    ----------
    index
        The index.
    added, removed
        Number of tracks by audio that only this index has, and that only the published index has. If the published
        index has other features, all tracks of this index count as added.
    written
        Whether an index was written. It is not if the same index is already stored.
    calibrated_because
        Why everything that is fitted to the library was fitted anew; empty if it was kept.
    repaired
        Sentences about the damage of the published index that was repaired.
    """

    index: LibraryIndex
    added: int
    removed: int
    written: bool
    calibrated_because: str = ""
    repaired: tuple[str, ...] = ()


def index_parameters(library: Library) -> IndexParameters:
    """Return the parameters of the next index.

    Raises
    ------
    UnknownRanking
        If the settings name a ranking that does not exist.
    """
    ranking_named(library.settings.ranking)
    count = ranked_count(max(library.settings.recommendations, EVALUATED_COUNT))
    return IndexParameters(library.feature_parameters, library.settings.ranking, count)


def ranked_count(count: int) -> int:
    """Return the number of nearest tracks that are ranked for a list of `count` tracks.

    Examples
    --------
    >>> ranked_count(5), ranked_count(50)
    (20, 100)
    """
    return max(REORDERED, considered_count(count))


def build_index(library: Library, *, run_id: str = "", report_progress: Report = unseen) -> BuiltIndex:
    """Build the index of all tracks that have features, write it, and remember it as the last built index.

    The segments of the published index are taken over, so only the rows of new tracks are written. If the published
    index or the one that was built last is already that of these tracks, it is the result. If the published one is
    damaged, it is first built again under the same version.

    Parameters
    ----------
    library
        The library.
    run_id
        Id of the run, whose steps share one listing of the features.
    report_progress
        Function that shows the progress.

    Raises
    ------
    UnknownRanking
        If the settings name a ranking that does not exist.
    """
    parameters, track_of_audio = index_parameters(library), library.catalogue.track_ids_by_audio()
    repairs = (*library.indexes.repair_pointers(), *_repair_published_index(library))
    for sentence in repairs:
        library.repairs.record(sentence)
    former = library.indexes.published_if_usable() or _newest_intact(library)
    if former is not None and former.is_built_from(parameters, track_of_audio):
        library.indexes.set_built(former.version)
        return BuiltIndex(former, added=0, removed=0, written=bool(repairs), repaired=repairs)
    if former is not None and former.parameters.features != parameters.features:
        former = None
    built = _built_from(library, parameters, track_of_audio)
    if built is not None:
        added, removed = _difference(built.tracks, former)
        return BuiltIndex(built, added=added, removed=removed, written=bool(repairs), repaired=repairs)
    tracks = _with_features(library, parameters, track_of_audio, run_id)
    builder = _builder(library, parameters, report_progress)
    reason = builder.reason_to_calibrate(former, tracks) if former else "No index had these features."
    index = compacted(builder.build(tracks, former))
    written = library.indexes.intact(index.version) is None
    if written:
        library.indexes.write(index)
    library.indexes.set_built(index.version)
    added, removed = _difference(tracks, former)
    return BuiltIndex(index, added=added, removed=removed, written=written, calibrated_because=reason, repaired=repairs)


def _built_from(
    library: Library, parameters: IndexParameters, track_of_audio: Mapping[AudioId, TrackId]
) -> LibraryIndex | None:
    """Return the index that was built last if it is intact and that of these tracks, though it may not be published.

    A run that was killed before the publication, or whose index was withheld, then does not build it again.
    """
    try:
        version = library.indexes.built_version()
    except (NoPublishedIndex, CorruptIndex):
        return None
    built = library.indexes.read_if_usable(version)
    if built is None or not built.is_built_from(parameters, track_of_audio):
        return None
    return library.indexes.intact(version)


def _difference(tracks: TrackOfAudio, former: LibraryIndex | None) -> tuple[int, int]:
    """Return how many tracks by audio a former index has not, and how many only it has."""
    former_tracks = former.tracks if former else TrackOfAudio.of({})
    kept = int((former_tracks.rows(tracks.audio_ids) >= 0).sum())
    return len(tracks) - kept, len(former_tracks) - kept


def _counting(report_progress: Report, phase: str, total: int) -> Callable[[int], None]:
    tally = Tally(report_progress, phase, total, unit="tracks")
    return lambda number: tally.end("", files=number, work=number)


def _with_features(
    library: Library, parameters: IndexParameters, track_of_audio: Mapping[AudioId, TrackId], run_id: str = ""
) -> TrackOfAudio:
    with_features = library.features.audio_with_track_features(parameters.features, run_id)
    return TrackOfAudio.of({audio_id: track for audio_id, track in track_of_audio.items() if audio_id in with_features})


def _builder(library: Library, parameters: IndexParameters, report_progress: Report = unseen) -> IndexBuilder:
    store, features = library.features, parameters.features
    return IndexBuilder(
        parameters,
        lambda audio_id: repaired(library, lambda: store.read_track_features(audio_id, features), audio_id, features),
        on_all_cores,
        small_library=SMALL_LIBRARY,
        measure_statistics=partial(_measured_statistics, library, parameters, report_progress),
        counting=partial(_counting, report_progress),
    )


def _measured_statistics(
    library: Library,
    parameters: IndexParameters,
    report_progress: Report,
    audio_ids: IdArray[AudioId],
    tracks: Tracks,
    calibration: Calibration,
) -> DistanceStatistics:
    """Let the engine that the settings choose measure the distance statistics of tracks."""
    shape = len(audio_ids), calibration.reference.statistics.means.shape[1]
    statistics = DistanceStatistics(np.empty(shape), np.empty(shape))
    if not len(audio_ids):
        return statistics
    library.indexes.write_calibration(calibration)
    context, failed = Context(library), FailedWork()
    context.once("calibration", calibration.digest, lambda: calibration)
    work = Work(
        f"{statistics_work.__name__}:measure_statistics",
        settings_of_work(library.settings),
        calibration.digest,
        statistics_work.STATISTICS,
        _MEASURED_AT_ONCE,
    )
    in_order = TrackOfAudio(audio_ids, IdArray(audio_ids.array))

    def add(audio_id: str, error: MfccError) -> None:
        failed.add(error, name_of_audio(library, AudioId(audio_id)))

    compute, count = compute_of(context), _counting(report_progress, "Measuring usual distances", len(audio_ids))
    parts = statistics_work.items_of(audio_ids, tracks, parameters.ranking, _ITEMS_AT_ONCE)
    for batch in succeeded(compute.run_parts(work, parts, start_of_engine(report_progress)), add):
        rows = in_order.rows(batch["key"].to_pylist())
        for name in ("means", "deviations"):
            getattr(statistics, name)[rows] = batch[name].flatten().to_numpy().reshape(len(rows), shape[1])
        count(len(rows))
    failed.raise_first()
    return statistics


def _newest_intact(library: Library) -> LibraryIndex | None:
    return next(_intact_versions(library), None)


def _intact_versions(library: Library) -> Iterator[LibraryIndex]:
    """Yield every intact index, beginning with the one that was built last."""
    for stored in reversed(library.indexes.versions()):
        index = library.indexes.intact(stored.version)
        if index is not None:
            yield index


def _repair_published_index(library: Library) -> Iterator[str]:
    """Build the published index again under the same version if it is damaged, and yield a sentence about that."""
    version = library.indexes.published_version()
    if version is None:
        return
    try:
        library.indexes.read(version).load_all()
    except (NoPublishedIndex, CorruptIndex) as error:
        what = error.what
    else:
        return
    index = _built_again(library, version)
    if index is None:
        sentence = f"Index {version} cannot be built again ({what}). Another one takes its place."
    else:
        library.indexes.write(index)
        sentence = f"Index {version} was damaged and has been built again."
    _logger.warning("%s", sentence)
    yield sentence


def _built_again(library: Library, version: str) -> LibraryIndex | None:
    """Build a damaged index again from the features; None if the same version does not result."""
    remains = library.indexes.remains(version)
    parameters = remains.parameters if remains else index_parameters(library)
    tracks = remains.tracks if remains else None
    if tracks is None:
        tracks = _with_features(library, parameters, library.catalogue.track_ids_by_audio())
    for former in _possible_formers(library, remains):
        # The calibration of a former index is taken over. Only with the right one does the version result.
        if former is not None and replace(former, parameters=parameters, tracks=tracks).version != version:
            continue
        try:
            index = _builder(library, parameters).build(tracks, former)
        except (FeaturesMissing, UnknownRanking) as error:
            _logger.warning("Index %s cannot be built again. %s", version, error)
            return None
        if index.version == version:
            return index
    return None


def _possible_formers(library: Library, remains: LibraryIndex | None) -> Iterator[LibraryIndex | None]:
    if remains is not None:
        try:
            _ = remains.calibration
            yield remains
        except CorruptIndex as error:
            _logger.warning("%s", error)
    yield from _intact_versions(library)
    yield None
