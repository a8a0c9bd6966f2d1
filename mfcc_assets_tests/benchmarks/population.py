"""Synthetic tracks for libraries that are larger than the corpus, drawn from the distribution of its tracks."""

from dataclasses import dataclass, replace
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable, TrackFeatures
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.frame_spool import FrameSpool
from mfcc_assets.search.index import Calibration
from mfcc_assets.similarity.dtw.distance import pooled_scales
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import REFERENCE_SIZE, Reference, Tracks, evenly_spaced, in_space
from mfcc_assets.similarity.rankings import Ranking
from mfcc_assets.similarity.timbre_space import SAMPLE_SIZE, TimbreSpace
from mfcc_assets_tests.benchmarks.corpus import Corpus

NEIGHBOURS = 10


@dataclass(frozen=True)
class Drawn:
    """Synthetic tracks. Their features are weighted sums of the features of real tracks.

    Attributes
    ----------
    mixtures : (tracks, real tracks)
        Weights of the real tracks, which add up to 1 for each synthetic track.
    origins : (tracks,)
        Row of the nearer of the two real tracks between which each was drawn. Features that cannot be added are taken
        from it.
    """

    mixtures: csr_array
    origins: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> "Drawn":
        return Drawn(self.mixtures[rows], self.origins[rows])


class Population:
    """A distribution of tracks like those of the corpus.

    Each track lies between a real track and one of its neighbours, with noise that has the covariance of the
    neighbourhood. Independent normal noise would fill all dimensions of the vector index. Then all tracks would be
    about equally far from each other, and no index would help. Real points lie near a surface of far fewer dimensions,
    and so do these.
    """

    def __init__(self, corpus: Corpus, ranking: Ranking) -> None:
        self._ranking = ranking
        self.parameters = corpus.parameters
        self.audio_ids = list(corpus.track_features)
        self.real_features = list(corpus.track_features.values())
        computed = Tracks.of(self.real_features, corpus.parameters)
        self._timbre = computed.feature_table.timbre
        self._space = TimbreSpace.of(self._timbre[evenly_spaced(len(computed), SAMPLE_SIZE)])
        self.tracks = in_space(computed, self._space)
        self.scales = pooled_scales(self.tracks.feature_table.means, self.tracks.feature_table.variances)
        self._coarse_contours = self.tracks.contours.coarser(COARSE_FACTOR)
        self.real_points = self.calibration.embedding(self.tracks.feature_table)
        _, self._nearest = faiss.knn(self.real_points, self.real_points, NEIGHBOURS + 1)

    def draw(self, tracks: int, seed: int) -> Drawn:
        """Draw some tracks; the same seed gives the same tracks."""
        rng = np.random.default_rng(seed)
        first = rng.integers(len(self.tracks), size=tracks)
        second = self._nearest[first, rng.integers(1, NEIGHBOURS + 1, size=tracks)]
        share = rng.random((tracks, 1), dtype=np.float32)
        noise = rng.standard_normal((tracks, NEIGHBOURS), dtype=np.float32) / np.float32(np.sqrt(NEIGHBOURS))
        real = np.column_stack([first, second, self._nearest[first, 1:]])
        weights = np.hstack([1 - share - noise.sum(axis=1, keepdims=True), share, noise])
        starts = np.arange(0, real.size + 1, real.shape[1])
        mixtures = csr_array((weights.ravel(), real.ravel(), starts), shape=(tracks, len(self.tracks)))
        return Drawn(mixtures, np.where(share[:, 0] < 0.5, first, second))

    def points(self, drawn: Drawn) -> NDArray[np.float32]:
        """Return the points of synthetic tracks in the vector index."""
        return drawn.mixtures @ self.real_points

    def coarse_contours(self, drawn: Drawn) -> RaggedFrames:
        """Return the coarse contours of synthetic tracks, which are those of their origins."""
        lengths = self._coarse_contours.lengths[drawn.origins]
        starts = np.append(0, lengths.cumsum())
        rows = np.repeat(self._coarse_contours.starts[drawn.origins] - starts[:-1], lengths) + np.arange(starts[-1])
        return RaggedFrames(self._coarse_contours.frames.astype(np.float16)[rows], starts)

    def contours(self, drawn: Drawn) -> RaggedFrames:
        """Return the contours of synthetic tracks, which are those of their origins, mapped into memory.

        They take 8 GB for a million tracks.
        """
        contours = [contour.astype(np.float16) for contour in self.tracks.contours]
        spool = FrameSpool(np.dtype(np.float16), len(self.scales))
        for origin in drawn.origins.tolist():
            spool.append(contours[origin])
        return RaggedFrames(*spool.mapped())

    def feature_table_of(self, drawn: Drawn) -> FeatureTable:
        """Return the feature table of synthetic tracks. It takes 3 GB for a million tracks."""
        real = self.tracks.feature_table
        return FeatureTable(
            means=drawn.mixtures @ real.means,
            covariances=real.covariances[drawn.origins],
            segment_means=drawn.mixtures @ real.segment_means,
            roughness=real.roughness[drawn.origins],
            timbre=drawn.mixtures @ real.timbre,
            low_timbre=drawn.mixtures @ real.low_timbre,
            treble=drawn.mixtures @ real.treble,
        )

    def track_features(self, drawn: Drawn, rng: np.random.Generator) -> TrackFeatures:
        """Return the features of the only track in `drawn`.

        Its contour is that of its origin with noise that has a third of the deviation in the library.
        """
        real, table = self.real_features[drawn.origins[0]], self.feature_table_of(drawn)
        contour = (real.contour + rng.normal(0, self.scales / 3, real.contour.shape)).astype(np.float32)
        (timbre,) = drawn.mixtures @ self._timbre
        return replace(
            real,
            contour=contour,
            segment_means=table.segment_means[0],
            timbre=timbre,
            treble=float(table.treble[0]),
        )

    def intrinsic_dimension(self, points: NDArray[np.float32]) -> float:
        """Estimate the dimension of the surface that the points lie near, from the ten nearest neighbours of each.

        The estimator is that of E. Levina and P. Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension", NIPS
        2004.
        """
        squared, _ = faiss.knn(points, points, NEIGHBOURS + 1)
        distances = np.sqrt(np.maximum(squared[:, 1:], 1e-9))
        return float(1 / np.log(distances[:, -1:] / distances[:, :-1]).mean())

    @cached_property
    def calibration(self) -> Calibration:
        """The calibration by a reference sample of the real tracks."""
        rows = evenly_spaced(len(self.tracks), REFERENCE_SIZE)
        sample = self.tracks.rows(rows)
        names = [self.audio_ids[row] for row in rows]
        embedding = Embedding.of(self._ranking, self.scales, sample.feature_table)
        return Calibration(
            Reference.of(names, sample, self._ranking, self.scales, on_all_cores),
            embedding,
            self._space,
            np.empty((0, embedding.axes.shape[1]), np.float32),
        )

    @cached_property
    def statistics(self) -> DistanceStatistics:
        """The distance statistics of each real track, which also hold for synthetic tracks with this origin."""
        sample = evenly_spaced(len(self.tracks), REFERENCE_SIZE)
        others = np.setdiff1d(np.arange(len(self.tracks)), sample)
        found = dict(on_all_cores(self.statistics_of, others.tolist()))
        measured = [self.calibration.reference.statistics, *(found[row] for row in others.tolist())]
        statistics = DistanceStatistics(
            np.concatenate([each.means for each in measured]), np.concatenate([each.deviations for each in measured])
        )
        return statistics.rows(np.argsort(np.concatenate([sample, others])))

    def statistics_of(self, row: int) -> DistanceStatistics:
        """Return the distance statistics of one real track."""
        return self.calibration.reference.statistics_of({self.audio_ids[row]}, self.tracks[row])
