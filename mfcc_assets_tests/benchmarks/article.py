"""The query of the article, the sum of 13 DTW distances of full cepstra: as published, and computed exactly."""

import importlib.util
import statistics
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from fastdtw import fastdtw
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mfcc_assets.compute.local import WORKERS, on_all_cores
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.ids import AudioId
from mfcc_assets.search.cascade import COARSE_FACTOR, COARSE_MODEL, ContourQuery
from mfcc_assets.search.pruning import corrected_within_margin, prune
from mfcc_assets.similarity.dtw.distance import DTW, pooled_scales
from mfcc_assets.similarity.dtw.kernels import dtw_distance, dtw_distances, warm_up
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured, in_turns
from mfcc_assets_tests.benchmarks.report import Section

TRACKS = 151
SECONDS = 60, 360
"""Shortest and longest track that is compared, which excludes jingles and mixes."""

APPROXIMATED = 8
"""Number of tracks that fastdtw compares with the query, by one coefficient. It takes seconds for each."""

COEFFICIENT = 1  # COE_2 varies most
CELLS = 4e11
"""Largest number of cells that our exact query computes here. If the whole query has more, the time is extrapolated."""


def measure(corpus: Corpus) -> Section:
    warm_up()
    library = sorted(_full_length(corpus), key=len)
    query = library.pop(len(library) // 2)
    coefficients = query.shape[1]

    compared = _evenly(library, APPROXIMATED)
    approximate, exact, seconds = [], [], 0.0
    for track in compared:
        curves = query[:, COEFFICIENT].astype(float), track[:, COEFFICIENT].astype(float)
        begun = time.perf_counter()
        approximate.append(fastdtw(*curves, radius=1)[0])
        seconds += time.perf_counter() - begun
        exact.append(dtw_distance(*curves))
    # fastdtw's time is proportional to the frames of both tracks.
    published = seconds * coefficients * _frames(query, library) / _frames(query, compared)

    part = _evenly(library, max(1, int(len(library) * CELLS / _cells(query, library))))
    begun = time.perf_counter()
    for _ in on_all_cores(partial(dtw_distances, query), part):
        pass
    measured = time.perf_counter() - begun
    ours = measured * _cells(query, library) / _cells(query, part)

    section = Section("The article's query")
    section.text(
        f"A query of {len(query) / 100:.0f} s is compared with {len(library)} other tracks of {SECONDS[0]} to "
        f"{SECONDS[1]} s at full length, with 100 frames of cepstra per second. The distance of a track is the sum of "
        f"{coefficients} DTW distances."
    )
    build = "compiled" if importlib.util.find_spec("fastdtw._fastdtw") else "pure Python"
    section.table(
        ["", "measured", "whole query"],
        [
            [
                f"as published, with fastdtw ({build}), one core",
                f"{seconds:.1f} s for {len(compared)} tracks, 1 of {coefficients} coefficients; scaled by frames",
                _duration(published),
            ],
            [
                f"exactly, with `dtw_distances`, {WORKERS} cores",
                f"{measured:.1f} s for {len(part)} tracks" + ("; scaled by cells" if len(part) < len(library) else ""),
                _duration(ours),
            ],
            [
                "the answer of the cascade by `dtw`, one core",
                "whole; median of five",
                _answer_of_cascade(query, library),
            ],
        ],
    )
    errors = [found / true - 1 for found, true in zip(approximate, exact, strict=True)]
    order, published_order = np.argsort(exact), np.argsort(approximate)
    section.text(
        f"The exact computation is {published / ours:,.0f} times faster than fastdtw, which only approximates these "
        f"distances. The distances of fastdtw for COE_{COEFFICIENT + 1} are too large by {min(errors):.0%}, "
        f"{statistics.median(errors):.0%}, {max(errors):.0%} (minimum, median, maximum). "
        + (
            "The errors differ so much that fastdtw ranks the tracks in another order."
            if (order != published_order).any()
            else "These few tracks keep their order."
        )
    )
    section.table(
        ["frames", "exact", "fastdtw", "too large by", "place", "place by fastdtw"],
        [
            [
                f"{len(query):,} × {len(compared[row]):,}",
                f"{exact[row]:,.0f}",
                f"{approximate[row]:,.0f}",
                f"{errors[row]:.0%}",
                place + 1,
                int(np.flatnonzero(published_order == row)[0]) + 1,
            ]
            for place, row in enumerate(order)
        ],
    )
    return section.plot(
        _places(exact, approximate),
        "article",
        "One line per track, from its exact distance to its distance by fastdtw.",
    )


def _answer_of_cascade(query: NDArray[np.float32], library: Sequence[NDArray[np.float32]]) -> Measured:
    """Measure the cascade over the same tracks. An index stores their contours, so these are not part of the time."""
    contours = RaggedFrames.of((_contour(track) for track in library), query.shape[1])
    coarse_contours, roughness = contours.coarser(COARSE_FACTOR), contours.roughness()
    scales = pooled_scales(
        np.array([track.mean(axis=0) for track in library]), np.array([track.var(axis=0) for track in library])
    )

    def answer() -> None:
        compared = ContourQuery(_contour(query), DTW, scales)
        estimates = compared.coarse.distances_to(coarse_contours, roughness)
        rows = prune(*corrected_within_margin(estimates, COARSE_MODEL.margin), count=5)
        compared.nearest([AudioId(str(row)) for row in rows], contours.rows(rows), count=5)

    answer()
    return in_turns({"answer": answer}, runs=5)["answer"]


def _contour(cepstra: NDArray[np.float32]) -> NDArray[np.float32]:
    parameters = FeaturesParameters()
    return segment_means(
        cepstra, max(1, round(len(cepstra) * parameters.cepstra.step_seconds * parameters.contour_rate))
    )


def _full_length(corpus: Corpus) -> list[NDArray[np.float32]]:
    """Return the cepstra of the first tracks of the corpus that are neither jingles nor mixes."""
    track_features = corpus.track_features
    shortest, longest = SECONDS
    chosen = [
        track for track in corpus.tracks if track.audio_id in track_features and shortest <= track.seconds <= longest
    ]
    return [corpus.store.read_cepstra(track.audio_id, corpus.parameters.cepstra) for track in chosen[:TRACKS]]


def _evenly(tracks: Sequence[NDArray[np.float32]], count: int) -> list[NDArray[np.float32]]:
    """Return `count` of the tracks, evenly spaced. The tracks are sorted by length."""
    count = min(count, len(tracks))
    return [tracks[(2 * number + 1) * len(tracks) // (2 * count)] for number in range(count)]


def _frames(query: NDArray[np.float32], tracks: Sequence[NDArray[np.float32]]) -> int:
    return sum(len(query) + len(track) for track in tracks)


def _cells(query: NDArray[np.float32], tracks: Sequence[NDArray[np.float32]]) -> int:
    return sum(query.size * len(track) for track in tracks)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _places(exact: Sequence[float], approximate: Sequence[float]) -> Figure:
    figure = Figure(figsize=(5, 3.6))
    axes = figure.subplots()
    for true, found in zip(exact, approximate, strict=True):
        axes.plot([0, 1], [true, found], marker="o")
    axes.set_xticks([0, 1], ["exact", "fastdtw"])
    axes.set_xlim(-0.2, 1.2)
    axes.set_ylabel(f"distance of COE_{COEFFICIENT + 1}")
    return figure
