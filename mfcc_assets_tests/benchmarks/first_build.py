"""What the first index of a large library costs beside the features, and the memory of a process that answers."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certify
from mfcc_assets.search.candidates import candidates_in_windows
from mfcc_assets.search.cascade import compares_all
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.search.query import Search
from mfcc_assets.search.window import Windows
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import RankedList, ranking_named
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.population import Population
from mfcc_assets_tests.benchmarks.report import Section
from mfcc_assets_tests.benchmarks.sized_library import RANKING, ids
from mfcc_assets_tests.benchmarks.synthetic_index import synthetic_index

SIZES = (25_000, 100_000)
QUERIES, COMPARED_WITH_ALL = 128, 24
MILLION = 1_000_000
WANTED = 20

MOST_CORE_HOURS = 12
MOST_RESIDENT = 2e9
CORE_HOURS_BEFORE = 131

_QUERIES_AT_ONCE = 64

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Built:
    """Core seconds that each part of a build takes for one track, and what the lists hold.

    Attributes
    ----------
    size
        Number of tracks of the library.
    core_seconds
        Core seconds for one track, by the name of the part.
    window, candidates
        Mean number of tracks in a window, and of candidates.
    recall
        Share of the nearest tracks that the lists hold, by the number of nearest tracks.
    """

    size: int
    core_seconds: Mapping[str, float]
    window: float
    candidates: float
    recall: Mapping[int, float]


def add_to(section: Section, corpus: Corpus) -> Section:
    """Add the measurements of a first build and of the memory to a section."""
    population = Population(corpus, ranking_named(RANKING))
    folder = corpus.work / "first_build"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        built, resident = list[Built](), dict[int, tuple[int, int]]()
        for size in SIZES:
            index = _index(population, size)
            built.append(_built(index, size))
            resident[size] = _resident(folder, index)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    largest = built[-1]
    at_a_million = {part: _at_a_million([each.core_seconds[part] for each in built]) for part in largest.core_seconds}
    hours = sum(at_a_million.values()) * MILLION / 3600
    mean_frames = population.tracks.contours.lengths.mean()
    anonymous = _line([resident[size][0] for size in SIZES])
    section.text(
        f"The first index of a library of {SIZES[0]:,} and of {SIZES[1]:,} synthetic tracks is built, on a sample of "
        f"{QUERIES} queries, whose candidates and rankings are those of the whole library. Contours of synthetic "
        "tracks have the segment means of the mixture and noise, and the distance statistics belong to them. Times are "
        "core seconds of one thread. They are extrapolated to a million with the power of the size by which they grew, "
        "and those that do not depend on the size stay."
    )
    section.table(
        ["core ms for one track", *(f"{each.size:,} tracks" for each in built), "a million (extrapolated)"],
        [
            [part, *(f"{each.core_seconds[part] * 1e3:.2f}" for each in built), f"{at_a_million[part] * 1e3:.2f}"]
            for part in largest.core_seconds
        ],
    )
    section.table(
        ["what", "measured", "to reach"],
        [
            [
                "first index of a million, beside the features",
                f"{hours:.1f} core hours (extrapolated; {CORE_HOURS_BEFORE} before, by arithmetic)",
                f"≤ {MOST_CORE_HOURS} core hours",
            ],
            [
                "memory of a process that answers from a million, without mapped files",
                f"{anonymous / 1e9:.2f} GB (extrapolated)",
                f"≤ {MOST_RESIDENT / 1e9:.0f} GB",
            ],
        ],
    )
    section.text(
        f"The contours have {mean_frames:.0f} frames on average, which is {mean_frames / 120:.1f} minutes. "
        f"A window of {largest.size:,} tracks holds {largest.window:,.0f} of them, and {largest.candidates:.0f} become "
        "candidates. Compared with all tracks of the library, the lists hold "
        + ", ".join(f"{share:.1%} of the {count} nearest" for count, share in largest.recall.items())
        + f" ({COMPARED_WITH_ALL} queries). A process that has opened the index and answered has "
        + " and ".join(
            f"{own / 1e6:.0f} MB of its own and {mapped / 1e6:.0f} MB of mapped files with {size:,} tracks"
            for size, (own, mapped) in resident.items()
        )
        + ". The system can drop the mapped files at any time."
    )
    return section.plot(_plot(built, at_a_million), "first_build", "Core seconds of a first build for one track")


def _built(index: LibraryIndex, size: int) -> Built:
    chosen = np.random.default_rng(1).choice(size, QUERIES, replace=False)
    windows = Windows.of(index)
    every = windows.among(np.arange(size))
    # The first queries load kernels.
    _lists(index, chosen[:2], every.tracks_of_each(chosen[:2]))
    seconds = dict.fromkeys(("distance statistics", "windows", "candidates", "rankings"), 0.0)
    reference = index.calibration.reference
    for row in chosen[: QUERIES // 2].tolist():
        track = _track(index, row)
        _, taken = _cores(lambda track=track: reference.statistics_of((), track))  # type: ignore[misc]
        seconds["distance statistics"] += taken / (QUERIES // 2)
    held, candidates, rankings = 0, 0, dict[int, RankedList]()
    for first in range(0, QUERIES, _QUERIES_AT_ONCE):
        some = chosen[first : first + _QUERIES_AT_ONCE]
        found, taken = _cores(lambda some=some: every.tracks_of_each(some))  # type: ignore[misc]
        seconds["windows"] += taken / QUERIES
        lists, (of_candidates, of_rankings) = _lists(index, some, found)
        seconds["candidates"] += of_candidates / QUERIES
        seconds["rankings"] += of_rankings / QUERIES
        held += sum(map(len, found))
        candidates += sum(count for count, _ in lists.values())
        rankings |= {row: ranked for row, (_, ranked) in lists.items()}
    proven = chosen[:COMPARED_WITH_ALL].tolist()
    truth = {row: _truth(index, row, rankings[row]) for row in proven}
    recall = {
        count: float(np.mean([_shared(truth[row][:count], rankings[row][:count]) / count for row in proven]))
        for count in (5, 10, WANTED)
    }
    return Built(size, seconds, held / QUERIES, candidates / QUERIES, recall)


def _lists(
    index: LibraryIndex, rows: NDArray[np.int64], windows: list[NDArray[np.int64]]
) -> tuple[dict[int, tuple[int, RankedList]], tuple[float, float]]:
    """Return the number of candidates and the ranking of each query, and the core seconds of both."""
    every, of_candidates = _cores(lambda: candidates_in_windows(index, rows, windows, WANTED))

    def ranked(row: int, names: list[AudioId]) -> RankedList:
        search = _search(index, row)
        found = search.nearest(names, WANTED)
        if compares_all(len(names), WANTED):
            return found
        return certify(search, found, count=WANTED, others=names)

    lists, of_rankings = {}, 0.0
    for row, candidates in zip(rows.tolist(), every, strict=True):
        names = [index.tracks.audio_ids[number] for number in candidates.rows.tolist()]
        ranking, taken = _cores(lambda row=row, names=names: ranked(row, names))  # type: ignore[misc]
        lists[row], of_rankings = (len(names), ranking), of_rankings + taken
    return lists, (of_candidates, of_rankings)


def _truth(index: LibraryIndex, row: int, found: RankedList) -> RankedList:
    """Return the nearest tracks of a query, proven by comparison with all tracks."""
    others = [audio_id for number, audio_id in enumerate(index.tracks.audio_ids) if number != row]
    return certify(_search(index, row), found, count=WANTED, others=others)


def _shared(one: RankedList, other: RankedList) -> int:
    return len({audio_id for audio_id, _ in one} & {audio_id for audio_id, _ in other})


def _search(index: LibraryIndex, row: int) -> Search:
    return Search(index, _track(index, row), index.statistics.rows(np.array([row])))


def _track(index: LibraryIndex, row: int) -> Tracks:
    rows = np.array([row])
    return Tracks(index.feature_table.rows(rows), index.contours.rows(rows))


def _index(population: Population, size: int) -> LibraryIndex:
    parameters = IndexParameters(population.parameters, RANKING, WANTED)
    return synthetic_index(population, population.draw(size, seed=0), TrackOfAudio.of(dict(ids(0, size))), parameters)


def _resident(home: Path, index: LibraryIndex) -> tuple[int, int]:
    """Return the bytes of its own, and of mapped files, that a process has in memory after it answered."""
    with Library(Settings(home=home, ranking=RANKING)) as library:
        library.indexes.write(index)
        library.indexes.publish(index.version)
    process = [sys.executable, "-m", __name__, str(home)]
    words = subprocess.run(process, check=True, capture_output=True, text=True).stdout.split()
    shutil.rmtree(home)
    return int(words[0]), int(words[1])


def _answer(home: Path) -> None:
    """Answer some queries from a stored index, and print how much memory this process then has."""
    with Library(Settings(home=home, ranking=RANKING)) as library:
        index = library.indexes.published()
        for row in range(0, len(index.tracks), len(index.tracks) // 20):
            search = _search(index, row)
            found = search.nearest_by_embedding(WANTED + 1)
            others = [audio_id for audio_id in found if audio_id != index.tracks.audio_ids[row]]
            kept = search.prune_by_coarse_contour(others, WANTED)
            search.nearest([audio_id for audio_id, _ in kept], WANTED)
        sys.stdout.write(f"{_memory('RssAnon')} {_memory('RssFile')}\n")


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _cores(call: Callable[[], _Value]) -> tuple[_Value, float]:
    begun = time.thread_time()
    return call(), time.thread_time() - begun


def _at_a_million(seconds: list[float]) -> float:
    """Extrapolate with the power of the size by which a time grew. A time that did not grow stays."""
    power = max(0.0, np.log(seconds[1] / seconds[0]) / np.log(SIZES[1] / SIZES[0]))
    return float(seconds[1] * (MILLION / SIZES[1]) ** power)


def _line(figures: list[int]) -> float:
    """Extrapolate linearly to a million. A figure that did not grow stays."""
    slope = max(0.0, (figures[1] - figures[0]) / (SIZES[1] - SIZES[0]))
    return figures[1] + slope * (MILLION - SIZES[1])


def _plot(built: list[Built], at_a_million: Mapping[str, float]) -> Figure:
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for part, last in at_a_million.items():
        seconds = [each.core_seconds[part] for each in built]
        (line,) = axes.plot(SIZES, seconds, "o-", label=part)
        axes.plot([SIZES[1], MILLION], [seconds[1], last], "x--", color=line.get_color())
    axes.axhline(MOST_CORE_HOURS * 3600 / MILLION, color="grey", linewidth=0.7, label="to reach, all together")
    axes.set(xscale="log", yscale="log", xlabel="tracks", ylabel="core seconds for one track")
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    _answer(Path(sys.argv[1]))
