"""The share of exhaustive dynamic time warping that the cascade computes, and the share of nearest tracks it finds."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import TypeAlias
from unittest.mock import patch

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.low_band import low_coefficients
from mfcc_assets.ids import AudioId
from mfcc_assets.search import cascade
from mfcc_assets.search.cascade import COARSE_FACTOR, COARSE_MODEL, ContourQuery, candidates_to_fetch
from mfcc_assets.search.pruning import corrected_within_margin, prune
from mfcc_assets.similarity.dtw.distance import DTW, pooled_scales
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured
from mfcc_assets_tests.benchmarks.report import Section

PLACES = 5
TARGET_RECALL, TARGET_SHARE, REACHED_FOR = 0.99, 0.05, 0.02
SWEPT = 4
"""Curves use only every n-th query, to save time."""

Search: TypeAlias = Callable[[int, ContourQuery], Iterable[AudioId]]
"""Takes the number and the search of a query, and returns the audio ids that it finds."""


@dataclass(frozen=True)
class Found:
    """The mean recall, the mean work and the time of a search over many queries."""

    recall: float
    share_of_cells: float
    seconds: Measured


class Bench:
    """The corpus as a library in which every track is a query."""

    def __init__(self, corpus: Corpus) -> None:
        track_features = list(corpus.track_features.values())
        self.names = list(corpus.track_features)
        self.contours = RaggedFrames.of(
            (track_features.contour for track_features in track_features), low_coefficients(corpus.parameters.cepstra)
        )
        coarse_contours = self.contours.coarser(COARSE_FACTOR)
        self.coarse_contours = RaggedFrames(coarse_contours.frames.astype(np.float16), coarse_contours.starts)
        self.roughness = self.contours.roughness()
        self.scales = pooled_scales(
            np.array([track_features.mean for track_features in track_features]),
            np.array([track_features.covariance.diagonal() for track_features in track_features]),
        )
        self.queries = range(len(track_features))

    @cached_property
    def hits(self) -> NDArray[np.intp]:
        """The other tracks of each query, nearest first by the default embedding."""
        return neighbours(self.segment_means(8))

    def segment_means(self, count: int) -> NDArray[np.float64]:
        """Return the means of equal segments in units of the scales, of shape (tracks, count * d)."""
        return (self.contours.segment_means(count) / self.scales).reshape(len(self.contours), -1)

    def query(self, number: int) -> ContourQuery:
        return ContourQuery(self.contours[number], DTW, self.scales)

    @cached_property
    def exhaustive(self) -> tuple[NDArray[np.float64], NDArray[np.int64], Measured]:
        """The distances of each query to all tracks, infinite to itself, with the cells and seconds that they took."""

        def search(number: int) -> tuple[list[float], int, float]:
            begun, query = time.perf_counter(), self.query(number)
            distances = [
                query.distance_within(contour, inf) if row != number else inf
                for row, contour in enumerate(self.contours)
            ]
            return distances, query.cells, time.perf_counter() - begun

        found = {number: search(number) for number in self.queries}
        distances, cells, seconds = zip(*(found[number] for number in self.queries), strict=True)
        return np.array(distances), np.array(cells), Measured(seconds)

    @cached_property
    def nearest(self) -> list[list[AudioId]]:
        """The true nearest tracks of each query."""
        order = np.argsort(self.exhaustive[0], axis=1, kind="stable")[:, :PLACES]
        return [[self.names[row] for row in rows] for rows in order]

    def run(self, search: Search, queries: Sequence[int]) -> Found:
        """Measure the recall, the share of cells and the time of a search."""
        _, cells, _ = self.exhaustive
        recalls, shares, seconds = [], [], []
        for number in queries:
            begun, query = time.perf_counter(), self.query(number)
            found = set(search(number, query))
            seconds.append(time.perf_counter() - begun)
            recalls.append(len(found & set(self.nearest[number])) / PLACES)
            shares.append(query.cells / cells[number])
        return Found(float(np.mean(recalls)), float(np.mean(shares)), Measured(tuple(seconds)))

    def cascade(self, number: int, query: ContourQuery) -> list[AudioId]:
        """Search as the engine does by default: with the vector index, then coarse contours, then contours."""
        return self.in_detail(query, self.by_coarse_contours(number, query))

    def by_coarse_contours(self, number: int, query: ContourQuery, width: int | None = None) -> NDArray[np.intp]:
        rows = self.hits[number, : width or candidates_to_fetch(len(self.contours), PLACES)]
        estimates = query.coarse.distances_to(self.coarse_contours.rows(rows), self.roughness[rows])
        return rows[prune(*corrected_within_margin(estimates, COARSE_MODEL.margin), PLACES)]

    def in_detail(self, query: ContourQuery, rows: NDArray[np.intp]) -> list[AudioId]:
        names = [self.names[row] for row in rows]
        return [place.audio_id for place in query.nearest(names, self.contours.rows(rows), PLACES)]

    def compared(self, query: ContourQuery, rows: Iterable[int]) -> list[AudioId]:
        """Return the nearest of these tracks by their contours, compared without estimates."""
        distances = {self.names[row]: query.distance_within(self.contours[row], inf) for row in rows}
        return sorted(distances, key=distances.__getitem__)[:PLACES]

    def certified(self, number: int, query: ContourQuery) -> list[AudioId]:
        """Search with the cascade, and then compare all other tracks within the distance of the last place."""
        rows = self.by_coarse_contours(number, query)
        names = [self.names[row] for row in rows]
        found = {place.audio_id: place.distance for place in query.nearest(names, self.contours.rows(rows), PLACES)}
        limit = max(found.values())
        for row, name in enumerate(self.names):
            if row != number and name not in found:
                found[name] = query.distance_within(self.contours[row], limit)
        return sorted(found, key=found.__getitem__)[:PLACES]


def neighbours(embeddings: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return all other rows for each row, nearest first."""
    squares = (embeddings**2).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * embeddings @ embeddings.T
    np.fill_diagonal(distances, -inf)
    return np.argsort(distances, axis=1, kind="stable")[:, 1:]


def measure(corpus: Corpus) -> Section:
    bench = Bench(corpus)
    _, _, exhaustive_seconds = bench.exhaustive
    default = bench.run(bench.cascade, bench.queries)
    swept = bench.queries[::SWEPT]
    certified = bench.run(bench.certified, swept)
    section = Section("Exact answers with little work").text(
        f"Each of the {len(bench.names)} tracks is a query. Its true five nearest tracks are found by exhaustive "
        "dynamic time warping, that is by the ranking `dtw` before its distances are corrected for hubs. The share of "
        "cells counts every cell of every matrix that was computed, at any resolution and for every coefficient. "
        "Exhaustive search has a share of 1."
    )
    section.table(
        ["search", "recall@5", "share of cells", "one query, one thread"],
        [
            ["exhaustive", "1", "1", exhaustive_seconds],
            ["cascade, the default", f"{default.recall:.4f}", f"{default.share_of_cells:.2%}", default.seconds],
            [
                f"certified (`--exact`), {len(swept)} queries",
                f"{certified.recall:.4f}",
                f"{certified.share_of_cells:.1%}",
                certified.seconds,
            ],
        ],
    )
    section.text(_verdict(bench, default))
    section.plot(_recall_by_work(bench, swept, default), "cascade", "Recall against work for each stage")
    section.text(
        "Each curve shows one search with increasing work. The first search compares all tracks that the vector index "
        "returns exactly. The second compares their coarse contours in between. The third is the cascade, with margins "
        "from a quarter of the default to twice the default."
    )
    ranks = {name: _ranks_of_nearest(bench, neighbours(rows)) for name, rows in _embeddings(bench).items()}
    section.table(
        ["embedding", *(f"K={k}" for k in (10, 20, 50, 100)), "K for a share of 99 %"],
        [
            [name, *(f"{(found < k).mean():.3f}" for k in (10, 20, 50, 100)), int(np.quantile(found, 0.99)) + 1]
            for name, found in ranks.items()
        ],
    )
    section.plot(
        _recall_by_embedding(ranks), "embeddings", "Share of the true five nearest among the first K, by embedding"
    )
    section.text(
        "The default embedding consists of the means of eight equal segments. More segments find no more tracks, and "
        "fewer segments find fewer. Adding deviations or quantiles makes the embedding worse."
    )
    section.table(
        ["tracks in the library", "K for 99 % of the true nearest", "K for 99.8 %", "K in use"],
        [[size, *_quantiles(bench, size), candidates_to_fetch(size, PLACES)] for size in _sizes(bench)],
    )
    return section.text(
        "Samples of the corpus (the figures are means over several) show how K, the number of tracks that the vector "
        "index must return, grows with the library: a little faster than the square root of its size. For libraries "
        "larger than the corpus, this is an extrapolation. When an index is built, its recall on its own library is "
        "measured, and every answer states it."
    )


def _verdict(bench: Bench, default: Found) -> str:
    _, cells, _ = bench.exhaustive
    rows = {name: row for row, name in enumerate(bench.names)}
    floor = []
    for number in bench.queries[::SWEPT]:
        query = bench.query(number)
        bench.compared(query, [rows[name] for name in bench.nearest[number]])
        floor.append(query.cells / cells[number])
    recall_met = "reached" if default.recall >= TARGET_RECALL else "missed"
    share_met = "reached" if default.share_of_cells <= TARGET_SHARE else "missed"
    return (
        f"The target is a recall@5 of {TARGET_RECALL} ({recall_met}: {default.recall:.4f}) with {TARGET_SHARE:.0%} of "
        f"the cells ({share_met}: {default.share_of_cells:.2%}). The stretch goal of {REACHED_FOR:.0%} of the cells "
        f"was not reached. An answer contains exact distances, and the matrices of its five tracks alone have "
        f"{np.mean(floor):.2%} of the cells. The following was tried and was no better: resolutions of a half, a "
        "third, a sixth, a tenth and a twelfth in chains of two to four stages; every n-th frame instead of means; "
        "narrower bands; one estimate per coefficient; stopping a comparison by the distance so far; a bias per track; "
        "distances of embeddings in the second estimate."
    )


def _embeddings(bench: Bench) -> Mapping[str, NDArray[np.float64]]:
    contours = [contour / bench.scales for contour in bench.contours]
    means = np.array([contour.mean(axis=0) for contour in contours])
    deviations = np.array([contour.std(axis=0) for contour in contours])
    quantiles = np.array([np.quantile(contour, np.linspace(0.05, 0.95, 10), axis=0).ravel() for contour in contours])
    return {
        "mean": means,
        "mean and deviation": np.hstack([means, deviations]),
        "ten quantiles": quantiles,
        **{f"means of {count} segments": bench.segment_means(count) for count in (2, 4, 8, 16, 32)},
        "means of 8 segments, deviation": np.hstack([bench.segment_means(8), np.sqrt(8) * deviations]),
    }


def _ranks_of_nearest(bench: Bench, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the place of each of the true nearest tracks in an order of all other tracks, counted from 0."""
    rows = {name: row for row, name in enumerate(bench.names)}
    places = np.empty((len(order), len(order)), np.intp)
    np.put_along_axis(places, order, np.arange(order.shape[1])[np.newaxis], axis=1)
    return np.array(
        [[places[query, rows[name]] for name in names] for query, names in enumerate(bench.nearest)]
    ).ravel()


def _sizes(bench: Bench) -> list[int]:
    return [size for size in (60, 120, 240, len(bench.names)) if size <= len(bench.names)]


def _quantiles(bench: Bench, size: int) -> list[int]:
    """Return the numbers of nearest embeddings that contain 99 % and 99.8 % of the true nearest in samples."""
    random = np.random.default_rng(size)
    every, _, _ = bench.exhaustive
    ranks = []
    for _ in range(max(1, 3 * len(bench.names) // size) if size < len(bench.names) else 1):
        sample = np.sort(random.permutation(len(bench.names))[:size])
        distances = every[np.ix_(sample, sample)]
        truth = np.argsort(distances, axis=1, kind="stable")[:, :PLACES]
        found = neighbours(bench.segment_means(8)[sample])
        places = np.empty((size, size), np.intp)
        np.put_along_axis(places, found, np.arange(size - 1)[np.newaxis], axis=1)
        ranks.append(np.take_along_axis(places, truth, axis=1).ravel())
    return [int(np.quantile(np.concatenate(ranks), share)) + 1 for share in (0.99, 0.998)]


def _recall_by_work(bench: Bench, queries: Sequence[int], default: Found) -> Figure:
    figure = Figure(figsize=(7, 4.2))
    axes = figure.subplots()
    widths = [10, 20, 35, 60, 100, 150]

    def curve(label: str, points: Iterable[Found]) -> None:
        found = sorted((point.share_of_cells, point.recall) for point in points)
        axes.plot([share for share, _ in found], [recall for _, recall in found], marker=".", label=label)

    def by_index(width: int) -> Search:
        return lambda number, query: bench.compared(query, bench.hits[number, :width])

    def with_coarse_contours(width: int) -> Search:
        return lambda number, query: bench.compared(query, bench.by_coarse_contours(number, query, width))

    curve("vector index, then contours", [bench.run(by_index(width), queries) for width in widths])
    curve("with coarse contours", [bench.run(with_coarse_contours(width), queries) for width in widths])
    points = []
    for factor in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0):
        models = {
            name: replace(getattr(cascade, name), margin=factor * getattr(cascade, name).margin)
            for name in ("COARSE_MODEL", "QUARTER_MODEL")
        }
        with patch.multiple(cascade, **models):
            points.append(bench.run(bench.cascade, queries))
    curve("cascade, with other margins", points)
    axes.plot(default.share_of_cells, default.recall, "k*", markersize=11, label="default, all queries")
    axes.axhline(TARGET_RECALL, color="grey", linewidth=0.7)
    axes.axvline(TARGET_SHARE, color="grey", linewidth=0.7)
    axes.set(xlabel="share of the cells of exhaustive search", ylabel="recall@5", xscale="log", ylim=(0.6, 1.005))
    axes.legend(fontsize=8)
    return figure


def _recall_by_embedding(ranks: Mapping[str, NDArray[np.intp]]) -> Figure:
    figure = Figure(figsize=(7, 4.2))
    axes = figure.subplots()
    for name, found in ranks.items():
        widths = np.arange(PLACES, 151)
        axes.plot(widths, [(found < width).mean() for width in widths], label=name, linewidth=1.2)
    axes.set(xlabel="K", ylabel="share of the true five nearest", xscale="log", ylim=(0.3, 1.005))
    axes.legend(fontsize=7)
    return figure
