"""Tracks for libraries that are larger than the corpus, drawn from its distribution."""

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.cascade import OUTLINE
from mfcc_assets.core.ranking import pooled_scales
from mfcc_assets.core.stacked import Stacked
from mfcc_assets_tests.benchmarks.corpus import Corpus

NEIGHBOURS = 10


class Population:
    """Tracks that might be in the corpus as well: each lies between a real track and one of its neighbours, with noise
    of the covariance that the neighbourhood has.

    Independent normal noise would fill all 104 dimensions, in which everything is about as far as everything else and
    no index helps; real embeddings lie near a surface of far fewer dimensions, and so do these.
    """

    def __init__(self, corpus: Corpus) -> None:
        summaries = list(corpus.summaries.values())
        self.parameters = corpus.parameters
        self.summaries = summaries
        self.scales = pooled_scales(
            np.array([summary.mean for summary in summaries]),
            np.array([summary.covariance.diagonal() for summary in summaries]),
        )
        self._units = np.tile(self.scales, corpus.parameters.segments).astype(np.float32)
        contours = Stacked.of((summary.contour for summary in summaries), corpus.parameters.cepstra.coefficients)
        self.roughness, self._outlines = contours.changes(), contours.coarser(OUTLINE)
        self.real = np.array([summary.embedding for summary in summaries]) / self._units
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

    def contour(self, origin: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """The contour of a real track with noise of a third of the library's deviation."""
        real = self.summaries[origin].contour
        return (real + rng.normal(0, self.scales / 3, real.shape)).astype(np.float32)
