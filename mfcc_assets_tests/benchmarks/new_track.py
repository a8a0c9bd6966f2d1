"""How many lists change when one track comes into a library, also through neighbours of its neighbours.

`python -m mfcc_assets_tests.benchmarks.new_track --corpus DIR --work DIR` prints a table. The libraries are synthetic:
see `population`. Distances are those of the points of the vector index, corrected for hubs.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.similarity.hubness import Correction, DistanceStatistics
from mfcc_assets.similarity.pairwise import REFERENCE_SIZE, evenly_spaced
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.similarity.shared_neighbours import REORDERED, SharedNeighbours, neighbour_count
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.population import Population
from mfcc_assets_tests.benchmarks.report import Section

SIZES = (1_000, 10_000, 100_000)
NEW_TRACKS = 20
LISTED = 5

_CANDIDATES = 60
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Rankings:
    """The nearest tracks of each track, nearest first, and their corrected distances (tracks, candidates)."""

    nearest: NDArray[np.int64]
    distances: NDArray[np.float64]

    def without(self, rows: NDArray[np.int64]) -> "Rankings":
        """Return the rankings as if some tracks were not in the library. Their own rankings stay, but count nowhere."""
        far = np.where(np.isin(self.nearest, rows), np.inf, self.distances)
        order = np.argsort(far, axis=1, kind="stable")
        return Rankings(np.take_along_axis(self.nearest, order, axis=1), np.take_along_axis(far, order, axis=1))

    def shared(self) -> SharedNeighbours:
        count = neighbour_count(len(self.nearest))
        return SharedNeighbours.of(self.nearest[:, :count], self.distances[:, :count])

    def listed(self, shared: SharedNeighbours, row: int) -> list[int]:
        """Return the list of a track."""
        nearest = self.nearest[row, :REORDERED]
        order = shared.order(shared.neighbourhood(row), nearest, self.distances[row, :REORDERED])
        found: list[int] = nearest[order][:LISTED].tolist()
        return found


def rankings_of(points: NDArray[np.float32], reference: NDArray[np.int64]) -> Rankings:
    """Rank all tracks by the distance of their points, corrected against a reference sample."""
    sample = points[reference]

    def statistics(rows: NDArray[np.int64], of_sample: DistanceStatistics | None) -> DistanceStatistics:
        apart = _distances(points[rows], sample)[:, :, np.newaxis]
        others = rows[:, np.newaxis] != reference
        return DistanceStatistics.of_tracks(apart, others, of_sample, np.ones(apart.shape))

    of_sample = statistics(reference, None)
    blocks = np.array_split(np.arange(len(points)), max(1, len(points) // _ROWS_AT_ONCE))
    measured = [statistics(block, of_sample) for block in blocks]
    every = DistanceStatistics(
        np.concatenate([block.means for block in measured]), np.concatenate([block.deviations for block in measured])
    )
    squared, candidates = faiss.knn(points, points, _CANDIDATES + 1)
    nearest, distances = np.empty((len(points), _CANDIDATES), np.int64), np.empty((len(points), _CANDIDATES))
    for row in range(len(points)):
        others = candidates[row] != row
        rows, apart = candidates[row][others][:_CANDIDATES], np.sqrt(squared[row][others][:_CANDIDATES])
        query = every.rows(np.array([row]))
        weights = np.ones((len(rows), 1))
        corrected = Correction.of(apart[:, np.newaxis], query, every.rows(rows), weights).of_known()
        order = np.argsort(corrected, kind="stable")
        nearest[row], distances[row] = rows[order], corrected[order]
    return Rankings(nearest, distances)


def changed_lists(with_all: Rankings, new: NDArray[np.int64], one: int) -> tuple[int, int]:
    """Return how many lists change when one of the new tracks comes, and how many of them do not name it."""
    before = with_all.without(new)
    after = with_all.without(new[new != one])
    shared_before, shared_after = before.shared(), after.shared()
    moved = (shared_before.members != shared_after.members).any(axis=1)
    moved |= (before.nearest[:, :REORDERED] != after.nearest[:, :REORDERED]).any(axis=1)
    affected = moved | moved[after.nearest[:, :REORDERED]].any(axis=1)
    affected[new] = False
    changed = unnamed = 0
    for row in np.flatnonzero(affected).tolist():
        listed = after.listed(shared_after, row)
        if listed != before.listed(shared_before, row):
            changed += 1
            unnamed += one not in listed
    return changed, unnamed


def measure(corpus: Corpus) -> Section:
    """Measure libraries of several sizes."""
    population = Population(corpus, ranking_named("fused"))
    rows = []
    for size in SIZES:
        points = population.points(population.draw(size + NEW_TRACKS, seed=size))
        new = np.arange(size, size + NEW_TRACKS)
        with_all = rankings_of(np.ascontiguousarray(points, np.float32), evenly_spaced(size, REFERENCE_SIZE))
        found = np.array([changed_lists(with_all, new, one) for one in new.tolist()])
        mean, most = found.mean(axis=0), found.max(axis=0)
        rows.append([f"{size:,}", f"{mean[0]:.1f}", f"{mean[1]:.1f}", most[0]])
        sys.stderr.write(f"         {size:,} tracks\n")
    columns = ["tracks", "lists that change", "of these, lists that do not name the new track", "most lists"]
    return (
        Section("Lists that a new track changes")
        .text(f"Means over {NEW_TRACKS} new tracks. A list has {LISTED} tracks.")
        .table(columns, rows)
    )


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    squared = (a.astype(np.float64) ** 2).sum(axis=1)[:, np.newaxis] + (b.astype(np.float64) ** 2).sum(axis=1)
    apart: NDArray[np.float64] = np.sqrt(np.maximum(squared - 2 * a.astype(np.float64) @ b.T.astype(np.float64), 0))
    return apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the development corpus")
    parser.add_argument("--work", type=Path, required=True, help="folder for features, which are computed once")
    chosen = parser.parse_args()
    sys.stdout.write(f"{measure(Corpus(chosen.corpus, chosen.work))}\n")


if __name__ == "__main__":
    main()
