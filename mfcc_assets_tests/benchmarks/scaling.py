"""Threads and executors on one and on two cores: speed-up, the start of Spark, and what each job and item costs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from matplotlib.figure import Figure

from mfcc_assets.library import Library
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets_tests.benchmarks import scaling_run
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.grown_library import real_and_drawn, write_library
from mfcc_assets_tests.benchmarks.population import Population
from mfcc_assets_tests.benchmarks.report import FOLDER, Section
from mfcc_assets_tests.benchmarks.scaling_run import FILES, LISTS, LOOK, NEW, Overheads, Stage, Taken, settings_for
from mfcc_assets_tests.benchmarks.sized_library import RANKING
from mfcc_assets_tests.services.processes import REPOSITORY

TITLE = "Threads and executors"
PAGE = FOLDER / "ENGINES.md"
SEEN, ANALYSED, LISTED, TURNS = 100, 30, 3_000, 2


@dataclass(frozen=True)
class Engine:
    """An engine, the number of its cores, and its master if it is Spark."""

    name: str
    cores: int
    master: str = ""


ENGINES = (
    Engine("1 thread", 1),
    Engine("2 threads", 2),
    Engine("1 executor", 1, "local-cluster[1,1,1024]"),
    Engine("2 executors", 2, "local-cluster[2,1,1024]"),
)


def measure(corpus: Corpus) -> Section:
    load = os.getloadavg()[0]
    folder = corpus.work / "scaling"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        version = _write_libraries(corpus, folder / "unchanged")
        turns = [{engine.name: _taken_by(engine, folder, version) for engine in ENGINES} for _ in range(TURNS)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _section({name: quickest([turn[name] for turn in turns]) for name in turns[0]}, load)


def _write_libraries(corpus: Corpus, home: Path) -> str:
    """Write two libraries of files and a library with an index, and return the version of the index."""
    for name, count in ((FILES, ANALYSED), (NEW, SEEN)):
        with Library(settings_for(home, name)) as library:
            for number, track in enumerate(corpus.tracks[:: len(corpus.tracks) // count][:count]):
                path = corpus.path(track)
                library.blobs.upload_file("soundtracks", f"{number:03}{path.suffix}", path)
    population = Population(corpus, ranking_named(RANKING))
    with Library(settings_for(home, LISTS)) as library:
        return write_library(library, population, real_and_drawn(population, LISTED)).version


def _taken_by(engine: Engine, folder: Path, version: str) -> Taken:
    """Let an engine do everything in a process of its own, with copies of the libraries."""
    home = folder / "copy"
    shutil.copytree(folder / "unchanged", home)
    command = [sys.executable, "-m", scaling_run.__name__, str(home), version, str(engine.cores), engine.master]
    # Executors import the function that does nothing.
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ran = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    shutil.rmtree(home)
    told = json.loads(ran.stdout.splitlines()[-1])
    return Taken(Overheads(**told["overheads"]), {name: Stage(**stage) for name, stage in told["stages"].items()})


def quickest(turns: Sequence[Taken]) -> Taken:
    """Return the quickest of each stage, and the least that was seen beside the work. The rest was disturbed."""
    names = [each.name for each in fields(Overheads)]
    least = {name: min(getattr(turn.overheads, name) for turn in turns) for name in names}
    stages = {
        name: min((turn.stages[name] for turn in turns), key=lambda stage: stage.seconds) for name in turns[0].stages
    }
    return Taken(Overheads(**least), stages)


def _section(found: Mapping[str, Taken], load: float) -> Section:
    one_thread, threads, one_executor, executors = (found[engine.name] for engine in ENGINES)
    stages = [name for name in one_thread.stages if name != LOOK]
    section = Section(TITLE, PAGE).text(
        f"{one_thread.stages['analysis'].items} files of the corpus are analysed. Then candidates and rankings of "
        f"{LISTED:,} tracks are computed: those of the corpus, and beyond them synthetic ones. Executors are those of "
        "Spark's local-cluster, with one core each. In the columns with one thread or executor, all processes together "
        "have one core, and otherwise two. So Spark's own processes take their time from the same cores. The engines "
        f"took {TURNS} turns, and the quickest of each stage counts. The machine had a load of {load:.1f} when this "
        "began."
    )
    section.table(
        ["stage", *found],
        [
            [name, *(f"{taken.stages[name].seconds:.1f} s, {_worked(taken.stages[name])}" for taken in found.values())]
            for name in stages
        ],
    )
    section.text(
        "The second figure is the time of the work itself for each item, on its core. The speed-up is that of the "
        "whole stage. The share of the run is what the process of the run does alone, such as planning and storing; "
        "the engine may work meanwhile."
    )
    section.table(
        ["speed-up", "two threads for one", "two executors for one", "the run itself, for an item"],
        [
            [
                name,
                f"{one_thread.stages[name].seconds / threads.stages[name].seconds:.2f}",
                f"{one_executor.stages[name].seconds / executors.stages[name].seconds:.2f}",
                f"{_of_run(executors.stages[name]):.3f} ms",
            ]
            for name in stages
        ],
    )
    section.table(
        ["beside the work", *found],
        [
            [name, *(f"{getattr(taken.overheads, attribute) * factor:.3g} {unit}" for taken in found.values())]
            for name, attribute, factor, unit in (
                ("start", "start", 1, "s"),
                ("the first job", "first", 1, "s"),
                ("each further job", "job", 1e3, "ms"),
                ("each item", "item", 1e3, "ms"),
            )
        ],
    )
    # No engine takes part in it.
    looked = min(taken.stages[LOOK].seconds for taken in (threads, executors)) / SEEN
    section.text(
        "The first job starts the processes of Python and imports the package. Jobs and items that do nothing were "
        f"measured. A run looks at {SEEN} new files, for their names and tags, in {looked * 1e3:.1f} ms for each on "
        "two cores. The correlation of the expected costs of files with the times of their analysis is "
        f"{threads.stages['analysis'].fit:.2f}."
    )
    return section.plot(_plot(found, stages), "scaling", "Seconds of each stage by engine")


def _worked(stage: Stage) -> str:
    return f"{stage.worked / stage.items * 1e3:.2f} ms"


def _of_run(stage: Stage) -> float:
    return (stage.seconds - stage.waited) / stage.items * 1e3


def _plot(found: Mapping[str, Taken], stages: list[str]) -> Figure:
    figure = Figure(figsize=(7, 3))
    axes = figure.subplots()
    left = dict.fromkeys(found, 0.0)
    for stage in stages:
        seconds = {name: taken.stages[stage].seconds for name, taken in found.items()}
        axes.barh(list(found), list(seconds.values()), left=list(left.values()), label=stage)
        left = {name: left[name] + seconds[name] for name in found}
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.legend(fontsize=8)
    return figure
