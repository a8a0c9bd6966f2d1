"""A small index with random numbers, for tests of stores."""

from functools import cache

import numpy as np

from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, track_features_of
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex, made_with
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import SegmentPoints, trained_centres
from mfcc_assets.similarity.pairwise import Reference, Tracks, in_space
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.timbre_space import TimbreSpace

PARAMETERS = IndexParameters(FeaturesParameters(), ranking="dtw", ranked_count=5)
SEGMENT_PARTS = [
    "audio_ids.npy",
    "track_ids.npy",
    "means.npy",
    "covariances.npy",
    "embeddings.npy",
    "roughness.npy",
    "timbre.npy",
    "low_timbre.npy",
    "treble.npy",
    "usual_means.npy",
    "usual_deviations.npy",
    "outlines.npy",
    "outline_starts.npy",
    "contours.npy",
    "contour_starts.npy",
    "sketches.npy",
    "sketch_starts.npy",
    "prefilter.faiss",
]
SCALES = np.linspace(1, 20, 10) / 3


def library_index(
    *seeds: int, parameters: IndexParameters = PARAMETERS, scales: np.ndarray = SCALES, calibrated_tracks: int = 3
) -> LibraryIndex:
    """Return an index of tracks with these seeds. It is made once, so nothing may change its arrays."""
    return _made(seeds, parameters, tuple(scales.tolist()), calibrated_tracks)


@cache
def _made(
    seeds: tuple[int, ...], parameters: IndexParameters, scales: tuple[float, ...], calibrated_tracks: int
) -> LibraryIndex:
    coefficients = parameters.features.cepstra.coefficients
    features_by_audio = {
        AudioId(f"audio {seed}"): track_features_of(
            Analysis(
                np.random.default_rng(seed).normal(0, 10, (200 + 100 * seed, coefficients)).astype(np.float32),
                np.random.default_rng(seed).normal(0, 1, WIDTH).astype(np.float32),
            ),
            parameters.features,
        )
        for seed in sorted(seeds)
    }
    tracks = TrackOfAudio.of({AudioId(f"audio {seed}"): TrackId(f"track {seed}") for seed in seeds})
    computed = Tracks.of(list(features_by_audio.values()), parameters.features)
    space = TimbreSpace.of(computed.feature_table.timbre)
    every = in_space(computed, space)
    ranking = ranking_named(parameters.ranking)
    reference = Reference.of(list(tracks.audio_ids), every, ranking, np.array(scales[:coefficients]))
    embedding = Embedding.of(ranking, reference.scales, every.feature_table)
    points = embedding(every.feature_table)
    calibration = Calibration(reference, embedding, space, trained_centres(points))
    segment = Segment(
        tracks,
        made_with(parameters, calibration.digest),
        LoadedParts(
            every.feature_table,
            every.contours.coarser(COARSE_FACTOR),
            RaggedFrames(every.contours.frames.astype(np.float16), every.contours.starts),
            Fingerprints.of(
                [(audio, track_features.fingerprint) for audio, track_features in features_by_audio.items()]
            ),
            SegmentPoints(points, calibration.centres),
            reference.statistics,
        ),
    )
    return LibraryIndex.of(parameters, tracks, [segment], calibration, calibrated_tracks)


def tracks_of(*ids: tuple[str, str]) -> TrackOfAudio:
    return TrackOfAudio.of({AudioId(audio): TrackId(track) for audio, track in ids})
