"""A large library with lists, to which tracks are added. Its lists are made by a shortcut."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import Analysis, TrackFeatures
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.search.cascade import COARSE_MODEL, CoarseQuery
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import LibraryIndex, made_with
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import SegmentPoints, trained_centres
from mfcc_assets.similarity.hubness import Correction
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets.storage.shared_tables import Table
from mfcc_assets_tests.benchmarks.population import Drawn, Population
from mfcc_assets_tests.benchmarks.sized_library import insert_soundtracks

NEAREST = 128
"""Number of nearest tracks by embedding from which the lists of the library are made."""

_QUERIES_AT_ONCE = 500


def digests(first: int, last: int) -> Iterator[tuple[AudioId, TrackId]]:
    """Yield audio ids and track ids in random order, as those of real files are."""
    for number in range(first, last):
        track = hashlib.blake2b(b"track %d" % number, digest_size=8).hexdigest()
        yield AudioId(hashlib.blake2b(b"audio %d" % number, digest_size=16).hexdigest()), TrackId(track)


class DrawnFeatures(FeatureStore):
    """The features of drawn tracks. Each has the file of its real origin, so reading it takes as long as it does.

    Parameters
    ----------
    library
        The library, for what is stored in it.
    real
        Store of the features of the real tracks.
    population, drawn, audio_ids
        The drawn tracks and their audio ids.
    """

    def __init__(
        self, library: Library, real: FeatureStore, population: Population, drawn: Drawn, audio_ids: Sequence[AudioId]
    ) -> None:
        super().__init__(library.blobs)
        self._real, self._population, self._drawn = real, population, drawn
        self._numbers = {audio_id: number for number, audio_id in enumerate(audio_ids)}

    def audio_with_track_features(self, parameters: FeaturesParameters, run_id: str = "") -> set[AudioId]:
        return super().audio_with_track_features(parameters, run_id) | self._numbers.keys()

    def read_cepstra(
        self, audio_id: AudioId, parameters: CepstraParameters, *, seconds: float | None = None
    ) -> NDArray[np.float32]:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_cepstra(audio_id, parameters, seconds=seconds)
        origin = self._population.audio_ids[self._drawn.origins[number]]
        return self._real.read_cepstra(origin, parameters, seconds=seconds)

    def read_analysis(self, audio_id: AudioId, parameters: CepstraParameters) -> Analysis:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_analysis(audio_id, parameters)
        return self._real.read_analysis(self._population.audio_ids[self._drawn.origins[number]], parameters)

    def read_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> TrackFeatures:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_track_features(audio_id, parameters)
        real = self._real.read_track_features(self._population.audio_ids[self._drawn.origins[number]], parameters)
        drawn = self._population.track_features(self._drawn[number : number + 1], np.random.default_rng(number))
        return replace(drawn, contour=real.contour)


def real_and_drawn(population: Population, size: int) -> Drawn:
    """Return the real tracks, followed by drawn ones up to a size."""
    count = len(population.tracks)
    drawn = population.draw(size - count, seed=0)
    mixtures = csr_array(vstack([eye_array(count, dtype=np.float32, format="csr"), drawn.mixtures]))
    return Drawn(mixtures, np.append(np.arange(count), drawn.origins))


def write_library(library: Library, population: Population, drawn: Drawn) -> LibraryIndex:
    """Write the index, the lists and the rows of a library, and publish it."""
    names = list(digests(0, len(drawn)))
    insert_soundtracks(library, len(drawn), digests)
    order = np.array(sorted(range(len(drawn)), key=lambda number: names[number][0]))
    tracks, ordered = TrackOfAudio.of(dict(names)), drawn[order]
    parameters, points = index_parameters(library), population.points(ordered)
    calibration = replace(population.calibration, centres=trained_centres(points))
    frames = np.random.default_rng(0).standard_normal((len(tracks), FINGERPRINT_WIDTH)).astype(np.float32)
    parts = LoadedParts(
        population.feature_table_of(ordered),
        population.coarse_contours(ordered),
        population.contours(ordered),
        Fingerprints(frames, np.arange(len(tracks) + 1), tracks.audio_ids),
        SegmentPoints(points, calibration.centres),
        population.statistics.rows(ordered.origins),
    )
    segment = Segment(tracks, made_with(parameters, calibration.digest), parts)
    index = LibraryIndex.of(parameters, tracks, [segment], calibration, len(tracks))
    library.indexes.write(index)
    library.indexes.write_quality(index.version, {RECALL: 0.99})
    # Synthetic tracks are no copies of each other.
    nothing = np.empty((0, 1), tracks.audio_ids.array.dtype)
    library.tables.write(index.version, "copies.table", Table(IdArray(nothing[:, 0]), nothing))
    _write_lists(library, population, index, ordered.origins, points)
    library.indexes.publish(index.version)
    library.indexes.set_built(index.version)
    return index


class _Lists(NamedTuple):
    """Candidates with their estimates, limits, and rankings with their distances, of some queries."""

    candidates: list[NDArray[np.int64]]
    estimates: list[NDArray[np.float64]]
    limits: NDArray[np.float64]
    ranked: list[NDArray[np.int64]]
    distances: list[NDArray[np.float64]]


def _write_lists(
    library: Library,
    population: Population,
    index: LibraryIndex,
    origins: NDArray[np.int64],
    points: NDArray[np.float32],
) -> None:
    """Write candidates and rankings that are made from the nearest tracks by embedding, without comparing contours."""
    estimates, wanted = _estimates_of_origins(population), index.parameters.ranked_count
    ranking = ranking_named(index.parameters.ranking)
    _, nearest = faiss.knn(points, points, NEAREST + 1)
    table, statistics = index.feature_table, index.statistics

    def lists(first: int) -> _Lists:
        queries = np.arange(first, min(first + _QUERIES_AT_ONCE, len(points)))
        others = nearest[queries][:, :NEAREST].copy()
        own = others == queries[:, None]
        others[own] = nearest[queries, NEAREST][np.nonzero(own)[0]]
        of_query, of_other = np.repeat(queries, NEAREST), others.ravel()
        one, other = table.rows(of_query), table.rows(of_other)
        apart = [
            np.sqrt(np.einsum("ij,ij->i", a - b, a - b, dtype=np.float64))
            for a, b in ((one.timbre, other.timbre), (one.low_timbre, other.low_timbre))
        ]
        weights = ranking.pair_weights(one.treble, other.treble)
        correction = Correction.of(
            np.column_stack(apart), statistics.rows(of_query), statistics.rows(of_other), weights
        )
        estimated = np.maximum(0, estimates[origins[of_query], origins[of_other]])
        corrected = correction(estimated).reshape(len(queries), -1)
        least = correction(estimated / (1 + COARSE_MODEL.margin)).reshape(len(queries), -1)
        order = np.argsort(corrected, axis=1, kind="stable")
        limits = np.take_along_axis(corrected, order, axis=1)[:, wanted - 1]
        kept = [row[of_row[row] <= limit] for row, of_row, limit in zip(order, least, limits, strict=True)]
        estimated = estimated.reshape(len(queries), -1)
        return _Lists(
            [of_row[row] for of_row, row in zip(others, kept, strict=True)],
            [of_row[row] for of_row, row in zip(estimated, kept, strict=True)],
            limits,
            [of_row[row[:wanted]] for of_row, row in zip(others, order, strict=True)],
            [of_row[row[:wanted]] for of_row, row in zip(corrected, order, strict=True)],
        )

    found = dict(on_all_cores(lists, range(0, len(points), _QUERIES_AT_ONCE)))
    blocks = [found[first] for first in sorted(found)]
    candidates = [one for block in blocks for one in block.candidates]
    distances = [one for block in blocks for one in block.estimates]
    rankings = [one for block in blocks for one in block.ranked]
    ranked = [one for block in blocks for one in block.distances]
    limits = np.concatenate([block.limits for block in blocks])
    shards = index.tracks.track_ids.array.astype(f"S{library.settings.shard_digits}")
    for shard in library.shards:
        rows = np.flatnonzero(shards == shard.encode())
        write = partial(_lists, index, rows)
        library.rankings.write("candidates", index.version, shard, write(candidates, distances, limits[rows]))
        library.rankings.write("rankings", index.version, shard, write(rankings, ranked, np.full(len(rows), np.inf)))


def _lists(
    index: LibraryIndex,
    rows: NDArray[np.int64],
    candidates: Sequence[NDArray[np.int64]],
    distances: Sequence[NDArray[np.float64]],
    limits: NDArray[np.float64],
) -> RankedLists:
    ids = index.tracks.audio_ids.array
    starts = np.cumsum([0, *(len(candidates[row]) for row in rows.tolist())], dtype=np.int64)
    every = np.concatenate([np.empty(0, np.int64), *(candidates[row] for row in rows.tolist())])
    joined = np.concatenate([np.empty(0), *(distances[row] for row in rows.tolist())])
    return RankedLists(IdArray(ids[rows]), starts, IdArray(ids[every]), joined, limits)


def _estimates_of_origins(population: Population) -> NDArray[np.float64]:
    """Return the estimated distances (real tracks, real tracks) by coarse contours."""
    warped = ranking_named("fused").warped
    assert warped is not None
    coarse = population.coarse_contours(Drawn(csr_array((0, 0)), np.arange(len(population.tracks))))
    every, roughness = np.arange(len(population.tracks)), population.tracks.feature_table.roughness
    others = coarse.rows(every)

    def row(number: int) -> NDArray[np.float64]:
        query = CoarseQuery(coarse.rows([number]), roughness[number], warped, population.scales)
        return query.distances_to(others, roughness)

    found = dict(on_all_cores(row, every.tolist()))
    return np.stack([found[number] for number in every.tolist()])


def insert_track(library: Library, audio_id: AudioId, track: TrackId, like: str) -> None:
    """Insert a row of SOUNDTRACKS for one more track, with the tags of another row."""
    with closing(sqlite3.connect(library.settings.folder / "tables.sqlite")) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(SOUNDTRACKS)")]
        new = {"TRACK_ID": track, "SHARD": track[: library.settings.shard_digits], "AUDIO_ID": audio_id}
        new |= {"BLOB_NAME": f"{track}.mp3", "CONTENT_DIGEST": audio_id, "ANALYSED_DIGEST": audio_id}
        values = ", ".join(f"'{new[name]}'" if name in new else name for name in columns)
        connection.execute(
            f"INSERT INTO SOUNDTRACKS ({', '.join(columns)}) SELECT {values} FROM SOUNDTRACKS WHERE TRACK_ID = ?",
            (like,),
        )
