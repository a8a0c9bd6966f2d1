"""What one more track, and two thousand more, cost in a large library."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import numpy as np
from matplotlib.figure import Figure

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.track_features import analyse, track_features_of
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.pipeline.quality import measure_quality
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.ready_to_show import make_ready_to_show
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets_tests.benchmarks import first_build, unchanged_run
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.grown_library import (
    DrawnFeatures,
    digests,
    insert_track,
    real_and_drawn,
    write_library,
)
from mfcc_assets_tests.benchmarks.population import Population
from mfcc_assets_tests.benchmarks.report import Section
from mfcc_assets_tests.benchmarks.sized_library import RANKING
from mfcc_assets_tests.benchmarks.synthetic_index import synthetic_features

SIZES = (25_000, 100_000)
SINGLE, MANY = 5, 100
MILLION = 1_000_000
WEEK = 2_000

MOST_SECONDS = 15
MOST_WRITTEN = 2_000_000
MOST_CORE_HOURS = 0.5


@dataclass
class Phases:
    """Seconds, core seconds and written bytes of each phase of a run."""

    seconds: dict[str, float] = field(default_factory=dict)
    core_seconds: dict[str, float] = field(default_factory=dict)
    written: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        seconds, cores, written = time.perf_counter(), time.process_time(), _written()
        yield
        self.seconds[name] = time.perf_counter() - seconds
        self.core_seconds[name] = time.process_time() - cores
        self.written[name] = _written() - written

    @classmethod
    def mean(cls, runs: Sequence["Phases"]) -> "Phases":
        """Return the means of several runs."""
        return cls(
            *(
                {name: sum(figures[name] for figures in each) / len(runs) for name in each[0]}
                for each in zip(*((run.seconds, run.core_seconds, run.written) for run in runs), strict=True)
            )
        )


@dataclass(frozen=True)
class Growth:
    """What the first lists, one more track and many more cost in a library of one size."""

    size: int
    first: Phases
    one: Phases
    many: Phases


def measure(corpus: Corpus) -> Section:
    population = Population(corpus, ranking_named(RANKING))
    grown = [_grown(corpus, population, size) for size in SIZES]
    largest = grown[-1]
    section = Section("A library that grows").text(
        f"A library of {largest.size:,} tracks: the {len(population.tracks)} real tracks of the corpus, and beyond "
        "them synthetic ones, drawn from their distribution. Contours of synthetic tracks have the segment means of "
        "the mixture and noise. Its index is written, all its lists are made as a first run makes them, and then "
        f"{SINGLE} tracks are added one by one. For each, a file of the corpus is decoded and analysed, and a run does "
        "everything up to the rows of RECOMMENDATIONS. The added track then gets the features of another synthetic "
        "track, because the real one lies amidst those that were drawn from it, and would enter hundreds of lists. The "
        "start of Dagster, the look at the folder and the checks before the publication are left out. Written bytes "
        "are all that the process passes to the system, to any file, temporary ones and the journal of SQLite "
        "included."
    )
    section.table(
        ["first lists", *(f"{each.size:,} tracks" for each in grown)],
        [
            [
                phase,
                *(
                    f"{each.first.seconds[phase]:,.0f} s, "
                    f"{each.first.core_seconds[phase] / each.size * 1e3:.1f} core ms for a track"
                    for each in grown
                ),
            ]
            for phase in largest.first.seconds
        ],
    )
    section.table(
        ["one track more", *(f"{each.size:,} tracks" for each in grown)],
        [
            [
                phase,
                *(
                    f"{each.one.seconds[phase]:.2f} s, {each.one.core_seconds[phase]:.2f} core s, "
                    f"{each.one.written[phase] / 1e3:,.0f} kB"
                    for each in grown
                ),
            ]
            for phase in largest.one.seconds
        ],
    )
    fixed = {each.size: _total(each.one.core_seconds, "features") for each in grown}
    extra = {each.size: (_total(each.many.core_seconds) - fixed[each.size]) / (MANY - 1) for each in grown}
    core_seconds = _at_a_million(fixed) + (WEEK - 1) * max(0.0, _at_a_million(extra))
    seconds, written = sum(largest.one.seconds.values()), sum(largest.one.written.values())
    section.table(
        ["what", "measured", "to reach"],
        [
            [f"one track more in {largest.size:,}: from file to rows", f"{seconds:.1f} s", f"≤ {MOST_SECONDS} s"],
            ["bytes that it writes", f"{written / 1e6:.2f} MB", f"≤ {MOST_WRITTEN / 1e6:.0f} MB"],
            [
                f"{WEEK:,} new tracks into a million, beside their features",
                f"{core_seconds / 3600:.2f} core hours (extrapolated)",
                f"≤ {MOST_CORE_HOURS} core hours",
            ],
        ],
    )
    section.text(
        f"{MANY} tracks more at once take "
        + " and ".join(f"{_total(each.many.core_seconds):.0f} core s in {each.size:,} tracks" for each in grown)
        + f". So a run costs {fixed[largest.size]:.1f} core s for the library and {extra[largest.size]:.3f} core s for "
        "each new track. Both are extrapolated to a million with the power of the size by which they grew from "
        f"{grown[0].size:,} to {largest.size:,} tracks."
    )
    section.plot(_plot(grown, fixed, extra), "growth", "Core seconds by the size of the library, without features")
    return unchanged_run.add_rows(first_build.add_to(section, corpus), corpus.work)


def _grown(corpus: Corpus, population: Population, size: int) -> Growth:
    folder = corpus.work / "growth"
    shutil.rmtree(folder, ignore_errors=True)
    drawn = real_and_drawn(population, size + 1)
    # The first real track is the file that is added.
    held_out, drawn = corpus.tracks[0], drawn[1:]
    try:
        with Library(Settings(home=folder, shard_digits=2, ranking=RANKING)) as library:
            names = list(digests(0, size))
            audio_ids = [audio_id for audio_id, _ in names]
            library.opened["features"] = DrawnFeatures(library, corpus.store, population, drawn, audio_ids)
            index, first = write_library(library, population, drawn), Phases()
            with first.phase("candidates"):
                list(find_candidates(library, index, library.shards))
            with first.phase("rankings"):
                list(rank_candidates(library, index, library.shards))
            library.indexes.publish(index.version)
            make_ready_to_show(library, index)
            with first.phase("recommendations"):
                list(recommend_soundtracks(library, index, library.shards, run_id="run"))
            more = synthetic_features(population, population.draw(1 + SINGLE + MANY, seed=1))
            named = list(digests(size, size + len(more)))
            for (audio_id, _), features in zip(named, more, strict=True):
                library.features.write_track_features(audio_id, features, population.parameters)
            like, single = names[5][1], list[Phases]()
            # The first run loads kernels and opens the index.
            _insert(library, like, named[:1])
            _run(library, Phases())
            for number in range(1, 1 + SINGLE):
                phases = Phases()
                with phases.phase("features"):
                    _analyse(library, corpus.path(held_out), named[number][0])
                library.features.write_track_features(named[number][0], more[number], population.parameters)
                _insert(library, like, named[number : number + 1])
                _run(library, phases)
                single.append(phases)
            many = Phases()
            _insert(library, like, named[1 + SINGLE :])
            _run(library, many)
            return Growth(size, first, Phases.mean(single), many)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _analyse(library: Library, path: Path, audio_id: AudioId) -> None:
    parameters = library.feature_parameters
    reader = AudioReader(path, parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples)
    analysis = analyse(reader.blocks(), parameters.cepstra)
    library.features.write_analysis(audio_id, analysis, parameters.cepstra)
    library.features.write_track_features(audio_id, track_features_of(analysis, parameters), parameters)


def _insert(library: Library, like: TrackId, named: Sequence[tuple[AudioId, TrackId]]) -> None:
    for audio_id, track in named:
        insert_track(library, audio_id, track, like)


def _run(library: Library, phases: Phases) -> None:
    """Do what a run does after the features."""
    run_id = str(uuid4())
    with phases.phase("index"):
        index = build_index(library).index
    with phases.phase("candidates"):
        list(find_candidates(library, index, library.shards))
    with phases.phase("rankings"):
        list(rank_candidates(library, index, library.shards))
    with phases.phase("quality"):
        measure_quality(library, index.version, run_id=run_id)
    with phases.phase("publication"):
        publish_built_index(library, run_id=run_id)
    with phases.phase("recommendations"):
        list(recommend_soundtracks(library, index, library.shards, run_id=run_id))


def _written() -> int:
    """Return the number of bytes that this process has passed to the system to be written, to any file."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))


def _total(figures: Mapping[str, float], *without: str) -> float:
    return sum(figure for name, figure in figures.items() if name not in without)


def _at_a_million(by_size: Mapping[int, float]) -> float:
    """Extrapolate a figure with the power of the size by which it grew between the two sizes."""
    (smaller, first), (larger, last) = sorted(by_size.items())
    power = np.log(max(last, 1e-6) / max(first, 1e-6)) / np.log(larger / smaller)
    return float(last * (MILLION / larger) ** power)


def _plot(grown: Sequence[Growth], fixed: Mapping[int, float], extra: Mapping[int, float]) -> Figure:
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    sizes = [each.size for each in grown]
    for figures, label in ((fixed, "a run with one new track"), (extra, "each further new track")):
        (line,) = axes.plot(sizes, [max(figures[size], 1e-6) for size in sizes], "o-", label=label)
        axes.plot(
            [sizes[-1], MILLION],
            [max(figures[sizes[-1]], 1e-6), max(_at_a_million(figures), 1e-6)],
            "x--",
            color=line.get_color(),
        )
    axes.set(xscale="log", yscale="log", xlabel="tracks in the library", ylabel="core seconds")
    axes.legend()
    return figure
