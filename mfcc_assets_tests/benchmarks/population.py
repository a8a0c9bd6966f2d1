"""Tracks for libraries that are larger than the corpus, drawn from its distribution."""

from dataclasses import replace
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.core.cascade import OUTLINE
from mfcc_assets.core.comparing import Reference, Tracks, reference_rows
from mfcc_assets.core.embedding import Embedding
from mfcc_assets.core.hubs import Usual
from mfcc_assets.core.ranking import Ranking
from mfcc_assets.core.stacked import Stacked
from mfcc_assets.core.summary import Summaries, Summary
from mfcc_assets.core.warped import pooled_scales
from mfcc_assets.stores.library_index import Calibration
from mfcc_assets_tests.benchmarks.corpus import Corpus

NEIGHBOURS = 10


class Population:
    """Tracks that might be in the corpus as well: each lies between a real track and one of its neighbours, with noise
    of the covariance that the neighbourhood has.

    Independent normal noise would fill all 104 dimensions, in which everything is about as far as everything else and
    no index helps; real embeddings lie near a surface of far fewer dimensions, and so do these.
    """

    def __init__(self, corpus: Corpus, ranking: Ranking) -> None:
        self._ranking = ranking
        self.parameters = corpus.parameters
        self.audio_ids = list(corpus.summaries)
        self.summaries = list(corpus.summaries.values())
        self.tracks = Tracks.of(self.summaries, corpus.parameters)
        self.scales = pooled_scales(self.tracks.summaries.means, self.tracks.summaries.variances)
        self._units = np.tile(self.scales, corpus.parameters.segments).astype(np.float32)
        self._outlines = self.tracks.contours.coarser(OUTLINE)
        self.real = self.tracks.summaries.embeddings / self._units
        _, self._nearest = faiss.knn(self.real, self.real, NEIGHBOURS + 1)

    def draw(self, tracks: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Embeddings (tracks, segments * d), and the real track nearest to where each was drawn."""
        rng = np.random.default_rng(seed)
        first = rng.integers(len(self.real), size=tracks)
        second = self._nearest[first, rng.integers(1, NEIGHBOURS + 1, size=tracks)]
        share = rng.random((tracks, 1), dtype=np.float32)
        drawn = self.real[first] * (1 - share) + self.real[second] * share
        for neighbour in range(1, NEIGHBOURS + 1):
            noise = rng.standard_normal((tracks, 1), dtype=np.float32) / np.float32(np.sqrt(NEIGHBOURS))
            drawn += noise * (self.real[self._nearest[first, neighbour]] - self.real[first])
        return drawn * self._units, np.where(share[:, 0] < 0.5, first, second)

    def intrinsic_dimension(self, embeddings: NDArray[np.float32]) -> float:
        """Of the surface that embeddings lie near: Levina and Bickel, NIPS 2004, from the ten nearest of each."""
        scaled = embeddings / self._units
        squared, _ = faiss.knn(scaled, scaled, NEIGHBOURS + 1)
        distances = np.sqrt(np.maximum(squared[:, 1:], 1e-9))
        return float(1 / np.log(distances[:, -1:] / distances[:, :-1]).mean())

    def outlines_of(self, origins: NDArray[np.int64]) -> Stacked:
        """The outlines of real tracks, once for each track that was drawn near them."""
        lengths = self._outlines.lengths[origins]
        starts = np.append(0, lengths.cumsum())
        rows = np.repeat(self._outlines.starts[origins] - starts[:-1], lengths) + np.arange(starts[-1])
        return Stacked(self._outlines.frames.astype(np.float16)[rows], starts)

    def summary(self, embedding: NDArray[np.float32], origin: int, rng: np.random.Generator) -> Summary:
        """A track that was drawn: the real one's contour with noise of a third of the library's deviation."""
        real = self.summaries[origin]
        contour = (real.contour + rng.normal(0, self.scales / 3, real.contour.shape)).astype(np.float32)
        return replace(real, contour=contour, embedding=embedding)

    def summaries_of(self, embeddings: NDArray[np.float32], origins: NDArray[np.int64]) -> Summaries:
        """What an index holds of tracks that were drawn, without timbre, which takes 7 GB for a million."""
        by_segment = embeddings.reshape(len(embeddings), self.parameters.segments, -1)
        coefficients = by_segment.shape[2]
        covariances = np.zeros((len(embeddings), coefficients, coefficients), np.float32)
        covariances[:, range(coefficients), range(coefficients)] = by_segment.var(axis=1)
        return Summaries(
            means=by_segment.mean(axis=1, dtype=np.float64),
            covariances=covariances,
            embeddings=embeddings,
            roughness=self.tracks.summaries.roughness[origins],
            timbre=np.empty((len(embeddings), 0), np.float16),
        )

    @cached_property
    def calibration(self) -> Calibration:
        """By a reference sample of the real tracks."""
        rows = reference_rows(len(self.tracks))
        sample = self.tracks.rows(rows)
        names = [self.audio_ids[row] for row in rows]
        return Calibration(
            Reference.of(names, sample, self._ranking, self.scales),
            Embedding.of(self._ranking, self.scales, sample.summaries),
        )

    @cached_property
    def usual(self) -> Usual:
        """What distances are usual for each real track, and so for those that are drawn near it."""
        found = dict(on_all_cores(self.usual_of, range(len(self.tracks))))
        return Usual.joined([found[row] for row in range(len(found))])

    def usual_of(self, row: int) -> Usual:
        """What distances are usual for one of the real tracks."""
        return self.calibration.reference.usual_of(self.audio_ids[row], self.tracks[row])

    def points(self, embeddings: NDArray[np.float32], origins: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the vector index holds of tracks that were drawn."""
        return self.calibration.embedding(self.summaries_of(embeddings, origins))
