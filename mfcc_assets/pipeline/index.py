"""From summaries to an index: what is searched."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.features.fingerprint import SHAPES, Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.library import Library
from mfcc_assets.playlists.selection import considered_count
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex
from mfcc_assets.search.vector_index import VectorIndex
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import REFERENCE_SIZE, Reference, Tracks, evenly_spaced, in_space
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace, table_in_space
from mfcc_assets.storage.feature_store import FeatureStore

_AUDIO_AT_ONCE = 1000
"""FeatureTable in memory at a time: 40 MB."""

RECALIBRATED_AT_GROWTH = 2
"""The reference sample is drawn again when the library has doubled. Drawn every time, one new track would change a
little what is usual, and with it every distance: nothing could be reused."""


@dataclass(frozen=True)
class BuiltIndex:
    """An index, and what building it came to."""

    index: LibraryIndex
    added: int
    removed: int
    written: bool


def index_parameters(settings: Settings) -> IndexParameters:
    """What the next index is built for.

    Raises
    ------
    UnknownRanking
        The settings name a ranking that does not exist.
    """
    ranking_named(settings.ranking)
    count = considered_count(max(settings.recommendations, EVALUATED_COUNT))
    return IndexParameters(settings.features, settings.ranking, count)


def build_index(library: Library) -> BuiltIndex:
    """Build the index of every audio that has a summary, and remember it as the one built last.

    Rows of the published index are taken over: only the summaries of new audio are read. Where nothing changed, that
    is the index.
    """
    parameters, audio_id = index_parameters(library.settings), library.catalogue.audio()
    former = library.indexes.published_if_usable()
    if former is not None and former.parameters == parameters and former.tracks == audio_id:
        library.indexes.set_built(former.version)
        return BuiltIndex(former, added=0, removed=0, written=False)
    summarised = library.features.audio_with_track_features(parameters.features)
    tracks = TrackOfAudio.of({name: track for name, track in audio_id.items() if name in summarised})
    if former is not None and former.parameters.features != parameters.features:
        former = None
    published = former.tracks if former else TrackOfAudio.of({})
    if former is None or not _keeps_calibration(former, parameters, len(tracks)):
        former = _empty_index(parameters, _fitted_space(library, parameters.features, tracks.audio_ids))
    rows = former.tracks.rows(tracks.audio_ids)
    feature_table, coarse_contours, fingerprints = _gathered(library, tracks.audio_ids, former, rows)
    if former.calibrated_tracks:
        calibration, calibrated_tracks = former.calibration, former.calibrated_tracks
        vector_index = former.vector_index.with_tracks(tracks.audio_ids, calibration.embedding(feature_table))
    else:
        calibration = _calibrated(library, parameters, tracks.audio_ids, feature_table, former.calibration.space)
        calibrated_tracks = len(tracks)
        vector_index = VectorIndex(tracks.audio_ids, calibration.embedding(feature_table))
    statistics = _statistics(library, parameters, tracks.audio_ids, feature_table, calibration, former, rows)
    index = LibraryIndex.of(
        parameters,
        tracks,
        feature_table,
        coarse_contours,
        fingerprints,
        vector_index,
        statistics,
        calibration,
        calibrated_tracks,
    )
    written = not _is_intact(library, index.version)
    if written:
        library.indexes.write(index)
    library.indexes.set_built(index.version)
    kept = int((published.rows(tracks.audio_ids) >= 0).sum())
    return BuiltIndex(index, added=len(tracks) - kept, removed=len(published) - kept, written=written)


def _keeps_calibration(former: LibraryIndex, parameters: IndexParameters, tracks: int) -> bool:
    return (
        former.parameters.ranking == parameters.ranking
        and 0 < tracks < RECALIBRATED_AT_GROWTH * former.calibrated_tracks
    )


def _fitted_space(library: Library, parameters: FeaturesParameters, audio_ids: IdArray) -> TimbreSpace:
    """The space of timbre that is fitted to a sample of a library."""
    sample = [audio_ids[row] for row in evenly_spaced(len(audio_ids), SAMPLE_SIZE).tolist()]
    timbre = {
        audio_id: track_features.timbre
        for audio_id, track_features in _read_track_features(library.features, sample, parameters)
    }
    return TimbreSpace.of(np.array([timbre[audio_id] for audio_id in sample], np.float32).reshape(-1, WIDTH))


def _empty_index(parameters: IndexParameters, space: TimbreSpace) -> LibraryIndex:
    tracks = TrackOfAudio.of({})
    coefficients = parameters.features.cepstra.coefficients
    nothing = in_space(Tracks.of([], parameters.features), space)
    calibration = _calibration((), nothing, parameters, np.ones(coefficients), space)
    return LibraryIndex.of(
        parameters,
        tracks,
        nothing.feature_table,
        nothing.contours,
        Fingerprints.of([]),
        VectorIndex((), calibration.embedding(nothing.feature_table)),
        calibration.reference.statistics,
        calibration,
        calibrated_tracks=0,
    )


def _calibrated(
    library: Library, parameters: IndexParameters, audio_ids: IdArray, feature_table: FeatureTable, space: TimbreSpace
) -> Calibration:
    """The calibration by a sample of a library; audio ids are digests, so that evenly spaced ones are random."""
    if not len(feature_table):
        return _empty_index(parameters, space).calibration
    rows = evenly_spaced(len(feature_table), REFERENCE_SIZE)
    sample = [audio_ids[row] for row in rows.tolist()]
    tracks = Tracks(feature_table.rows(rows), _contours(library, sample, parameters.features))
    return _calibration(sample, tracks, parameters, pooled_scales(feature_table.means, feature_table.variances), space)


def _calibration(
    sample: Sequence[str],
    tracks: Tracks,
    parameters: IndexParameters,
    scales: NDArray[np.float64],
    space: TimbreSpace,
) -> Calibration:
    ranking = ranking_named(parameters.ranking)
    reference = Reference.of(sample, tracks, ranking, scales, on_all_cores)
    return Calibration(reference, Embedding.of(ranking, scales, tracks.feature_table), space)


def _statistics(
    library: Library,
    parameters: IndexParameters,
    audio_ids: IdArray,
    feature_table: FeatureTable,
    calibration: Calibration,
    former: LibraryIndex,
    rows: NDArray[np.int64],
) -> DistanceStatistics:
    """What distances are usual for some audio: of those with a row in a former index out of it, of the others anew."""
    columns = calibration.reference.statistics.means.shape[1]
    statistics = DistanceStatistics(np.empty((len(rows), columns)), np.empty((len(rows), columns)))
    known = rows >= 0
    # Where nothing is taken over, the former index may have been built for another ranking, of other parts.
    if known.any():
        taken_over = former.statistics.rows(rows[known])
        statistics.means[known], statistics.deviations[known] = taken_over.means, taken_over.deviations

    def of_row(row: int) -> DistanceStatistics:
        audio_id = audio_ids[row]
        track = Tracks(feature_table.rows(np.array([row])), _contours(library, [audio_id], parameters.features))
        return calibration.reference.statistics_of(audio_id, track)

    for row, found in on_all_cores(of_row, np.flatnonzero(~known).tolist()):
        statistics.means[row], statistics.deviations[row] = found.means[0], found.deviations[0]
    return statistics


def _contours(library: Library, audio_ids: Sequence[str], parameters: FeaturesParameters) -> RaggedFrames:
    contours = (library.features.read_contour(audio_id, parameters) for audio_id in audio_ids)
    return RaggedFrames.of(contours, parameters.cepstra.coefficients)


def _gathered(
    library: Library, audio_ids: IdArray, former: LibraryIndex, rows: NDArray[np.int64]
) -> tuple[FeatureTable, RaggedFrames, Fingerprints]:
    """What is searched of some audio: of those with a row in a former index out of it, of the others as stored."""
    parameters, space = former.parameters.features, former.calibration.space
    gathered = [former.feature_table]
    coarse_contours = _Spool(np.dtype(np.float16), parameters.cepstra.coefficients)
    fingerprints = _Spool(np.dtype(np.float32), SHAPES)
    for first in range(0, len(audio_ids), _AUDIO_AT_ONCE):
        some = slice(first, first + _AUDIO_AT_ONCE)
        new = [audio_id for audio_id, row in zip(audio_ids[some], rows[some], strict=True) if row < 0]
        read = dict(_read_track_features(library.features, new, parameters))
        gathered.append(table_in_space(FeatureTable.of([read[audio_id] for audio_id in new], parameters), space))
        contours = RaggedFrames.of((read[audio_id].contour for audio_id in new), parameters.cepstra.coefficients)
        coarsened = dict(zip(new, iter(contours.coarser(COARSE_FACTOR)), strict=True))
        for audio_id, row in zip(audio_ids[some], rows[some], strict=True):
            coarse_contours.append(former.coarse_contours[row] if row >= 0 else coarsened[audio_id])
            fingerprints.append(former.fingerprints[row] if row >= 0 else read[audio_id].fingerprint)
    order = rows.copy()
    order[rows < 0] = len(former.tracks) + np.arange((rows < 0).sum())
    return (
        FeatureTable.joined(gathered).rows(order),
        RaggedFrames(*coarse_contours.mapped()),
        Fingerprints(*fingerprints.mapped(), audio_ids),
    )


class _Spool:
    """Frames of one track after the other, in a file that has no name: the sketches of a million tracks take 12 GB."""

    def __init__(self, dtype: np.dtype[Any], width: int) -> None:
        self._file, self._dtype, self._width = tempfile.TemporaryFile(), dtype, width  # noqa: SIM115  closed when mapped
        self._starts = [0]

    def append(self, frames: NDArray[np.floating]) -> None:
        self._file.write(np.ascontiguousarray(frames, self._dtype).data)
        self._starts.append(self._starts[-1] + len(frames))

    def mapped(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """All frames, mapped into memory, and where each track's begin."""
        starts = np.array(self._starts, np.int64)
        with self._file:
            self._file.flush()
            shape = (int(starts[-1]), self._width)
            # An empty file cannot be mapped.
            frames = (
                np.memmap(self._file, self._dtype, mode="r", shape=shape)
                if len(starts) > 1
                else np.empty(shape, self._dtype)
            )
        return frames, starts


def _read_track_features(
    features: FeatureStore, audio_ids: Sequence[str], parameters: FeaturesParameters
) -> Iterator[tuple[str, TrackFeatures]]:
    return on_all_cores(lambda audio_id: features.read_track_features(audio_id, parameters), audio_ids)


def _is_intact(library: Library, version: str) -> bool:
    try:
        library.indexes.read(version).opened()
    except (NoPublishedIndex, CorruptIndex):
        return False
    return True
