"""Indexes of synthetic tracks, all of whose parts belong to the same contours, and the features of such tracks."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.frame_spool import FrameSpool
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import IndexParameters, LibraryIndex, made_with
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import SegmentPoints, trained_centres
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets_tests.benchmarks.population import Drawn, Population

_NOISE_FRAMES = 8
_TRACKS_AT_ONCE = 2_000


def synthetic_index(
    population: Population, drawn: Drawn, tracks: TrackOfAudio, parameters: IndexParameters
) -> LibraryIndex:
    """Make the index of drawn tracks, which are given in the order of the audio ids.

    The fingerprints are noise, so that no track is a copy of another.
    """
    contours, coarse, segment_means, roughness = _contours(population, drawn)
    table = replace(population.feature_table_of(drawn), segment_means=segment_means, roughness=roughness)
    points = population.calibration.embedding(table)
    calibration = replace(population.calibration, centres=trained_centres(points))
    frames = np.random.default_rng(0).standard_normal((len(tracks), FINGERPRINT_WIDTH)).astype(np.float32)
    parts = LoadedParts(
        table,
        coarse,
        contours,
        Fingerprints(frames, np.arange(len(tracks) + 1), tracks.audio_ids),
        SegmentPoints(points, calibration.centres),
        _statistics(population, drawn, Tracks(table, contours), parameters.ranking),
    )
    segment = Segment(tracks, made_with(parameters, calibration.digest), parts)
    return LibraryIndex.of(parameters, tracks, [segment], calibration, len(tracks))


def synthetic_features(population: Population, drawn: Drawn) -> list[TrackFeatures]:
    """Return the features of drawn tracks as files have them, with contours like those of `synthetic_index`."""
    contours, _, segment_means, _ = _contours(population, drawn)
    rng, found = np.random.default_rng(1), []
    for number, contour in enumerate(contours):
        features = population.track_features(drawn[number : number + 1], rng)
        noise = rng.standard_normal(features.fingerprint.shape).astype(np.float32)
        found.append(
            replace(
                features,
                contour=contour.astype(np.float32),
                segment_means=segment_means[number],
                fingerprint=noise,
            )
        )
    return found


def _contours(
    population: Population, drawn: Drawn
) -> tuple[RaggedFrames, RaggedFrames, NDArray[np.float32], NDArray[np.float32]]:
    """Return contours, coarse contours, segment means and roughness of synthetic tracks.

    A contour is that of the origin, moved so that the means of its segments are those of the mixture, with noise that
    has a third of the deviation in the library and changes within some seconds.
    """
    real, width = population.tracks, len(population.scales)
    of_real = real.feature_table.segment_means
    segments = of_real.shape[1] // width
    spools = FrameSpool(np.dtype(np.float16), width), FrameSpool(np.dtype(np.float16), width)
    segment_means, roughness = np.empty((len(drawn), segments * width), np.float32), []
    for first in range(0, len(drawn), _TRACKS_AT_ONCE):
        some = drawn[first : first + _TRACKS_AT_ONCE]
        origins = real.contours.rows(some.origins)
        moved = (some.mixtures @ of_real - of_real[some.origins]).reshape(-1, segments, width)
        tracks = np.repeat(np.arange(len(some)), origins.lengths)
        within = np.arange(len(tracks)) - origins.starts[tracks]
        noise = np.random.default_rng(first).normal(0, population.scales / 3, (len(tracks) // _NOISE_FRAMES + 2, width))
        place = np.arange(len(tracks)) / _NOISE_FRAMES
        numbers, share = place.astype(np.int64), (place % 1)[:, np.newaxis]
        frames = origins.frames + moved[tracks, within * segments // origins.lengths[tracks]]
        frames = (frames + (1 - share) * noise[numbers] + share * noise[numbers + 1]).astype(np.float32)
        contours = RaggedFrames(frames, origins.starts)
        for spool, found in zip(spools, (contours, contours.coarser(COARSE_FACTOR)), strict=True):
            for contour in found:
                spool.append(contour)
        segment_means[first : first + len(some)] = contours.segment_means(segments).reshape(len(some), -1)
        roughness.append(contours.roughness())
    return (*(RaggedFrames(*spool.mapped()) for spool in spools), segment_means, np.concatenate(roughness))  # type: ignore[return-value]


def _statistics(population: Population, drawn: Drawn, tracks: Tracks, ranking_name: str) -> DistanceStatistics:
    """Return the distance statistics of synthetic tracks.

    The distances of contours to the sample are those of the first track with the same origin.
    """
    reference, ranking = population.calibration.reference, ranking_named(ranking_name)
    assert ranking.warped is not None
    sample = reference.tracks
    of_origin = np.empty((len(population.tracks), len(sample)))
    origins, firsts = np.unique(drawn.origins, return_index=True)
    for origin, first in zip(origins.tolist(), firsts.tolist(), strict=True):
        of_origin[origin] = ranking.warped.distances(
            tracks.contours[first].astype(np.float32), sample.contours, reference.scales
        )
    every, (table, of_sample) = [], (tracks.feature_table, sample.feature_table)
    for first in range(0, len(drawn), _TRACKS_AT_ONCE):
        rows = slice(first, first + _TRACKS_AT_ONCE)
        distances = np.stack(
            [
                _apart(table.timbre[rows], of_sample.timbre),
                _apart(table.low_timbre[rows], of_sample.low_timbre),
                of_origin[drawn.origins[rows]],
            ],
            axis=-1,
        )
        weights = ranking.pair_weights(table.treble[rows, np.newaxis], of_sample.treble)
        others = np.ones(distances.shape[:2], np.bool_)
        every.append(DistanceStatistics.of_tracks(distances, others, reference.statistics, weights))
    return DistanceStatistics(
        np.concatenate([each.means for each in every]), np.concatenate([each.deviations for each in every])
    )


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    squares = np.square(a).sum(axis=1)[:, np.newaxis] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0)).astype(np.float64)
