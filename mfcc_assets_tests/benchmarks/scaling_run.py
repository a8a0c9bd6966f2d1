"""Do the heavy stages with one engine, and print what they took as JSON: ``python -m … HOME VERSION CORES [MASTER]``.

The home has three libraries: files to look at, files to analyse, and an index without lists.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mfcc_assets.compute import local
from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.equal_bins import jobs_of
from mfcc_assets.compute.port import ITEM, Activity, Compute, Work, unwatched
from mfcc_assets.library import Library
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks, compute_features_of_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets_tests.benchmarks.sized_library import RANKING

NEW, FILES, LISTS = "new", "files", "lists"
"""Folders of the three libraries."""

LOOK = "look"
"""Name of the stage that looks at new files."""

SHARD_DIGITS = 1

_NOTHING = pa.schema([("nothing", pa.bool_())])
_BINS, _ITEMS, _TURNS = 8, 10_000, 3


@dataclass
class Stage:
    """What a stage took.

    Attributes
    ----------
    items
        Number of items on which the engine worked.
    seconds
        Time of the whole stage.
    waited
        Time in which the run waited for the engine.
    worked
        Sum of the times of all items, each on its core.
    fit
        Correlation of the expected costs of the items with their times; 0 if they are timed together.
    """

    items: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    worked: float = 0.0
    fit: float = 0.0


@dataclass
class Overheads:
    """Seconds beside the work: the start of the engine, the first job of its processes, each job, and each item."""

    start: float
    first: float
    job: float
    item: float


@dataclass
class Taken:
    """What one engine took for everything."""

    overheads: Overheads
    stages: dict[str, Stage] = field(default_factory=dict)


def nothing(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Do nothing with some items."""
    return pa.record_batch([pa.nulls(items.num_rows, pa.bool_())], schema=_NOTHING)


def settings_for(home: Path, name: str, master: str = "") -> Settings:
    """Return the settings of one of the libraries. With a master, the work runs on Spark."""
    of_engine = {"compute": "spark", "spark_master": master} if master else {}
    return Settings(home=home / name, settle_seconds=0, shard_digits=SHARD_DIGITS, ranking=RANKING, **of_engine)  # type: ignore[arg-type]


def taken(home: Path, version: str, master: str) -> Taken:
    """Do everything, and return what it took."""
    with Library(settings_for(home, LISTS, master)) as library:
        found = Taken(_overheads(library))
    with Library(settings_for(home, FILES, master)) as library:
        # The first look imports what it needs, so it is not measured.
        observe_soundtracks(library, library.shards, run_id="run")
        stages = {
            "analysis": lambda: analyse_soundtracks(library, library.shards, run_id="run"),
            "track features": lambda: compute_features_of_soundtracks(library, library.shards, run_id="run"),
        }
        found.stages |= {name: measured_stage(call) for name, call in stages.items()}
    with Library(settings_for(home, NEW, master)) as library:
        found.stages[LOOK] = measured_stage(lambda: observe_soundtracks(library, library.shards, run_id="run"))
    with Library(settings_for(home, LISTS, master)) as library:
        index = library.indexes.read(version)
        found.stages["candidates"] = measured_stage(lambda: list(find_candidates(library, index, library.shards)))
        found.stages["rankings"] = measured_stage(lambda: list(rank_candidates(library, index, library.shards)))
        if master:
            _stop_spark(library.settings)
    return found


def _stop_spark(settings: Settings) -> None:
    """Stop Spark. If this process only ended, executors would be started again and again until Spark gives up."""
    from mfcc_assets.compute.spark_session import started_session

    started_session(settings).stop()


def measured_stage(call: Callable[[], object]) -> Stage:
    """Measure a stage. The engine is measured where the stage asks it for results."""
    stage, run = Stage(), Compute.run_parts
    expected, needed = list[float](), list[float]()

    def measured(
        self: Compute, work: Work, parts: Iterable[pa.Table], on_activity: Callable[[Activity], None] = unwatched
    ) -> Iterator[pa.RecordBatch]:
        costs = dict[str, float]()

        def given() -> Iterator[pa.Table]:
            for items in parts:
                costs.update(zip(items["key"].to_pylist(), items["cost"].to_pylist(), strict=True))
                yield items

        results = run(self, work, given(), on_activity)
        while True:
            begun = time.perf_counter()
            batch = next(results, None)
            stage.waited += time.perf_counter() - begun
            if batch is None:
                return
            stage.items += batch.num_rows
            stage.worked += pc.sum(batch["milliseconds"]).as_py() / 1e3
            if work.at_once == 1:
                expected.extend(costs[key] for key in batch["key"].to_pylist())
                needed.extend(batch["milliseconds"].to_pylist())
            yield batch

    with patch.object(Compute, "run_parts", measured):
        begun = time.perf_counter()
        call()
        stage.seconds = time.perf_counter() - begun
    if expected:
        stage.fit = float(np.corrcoef(expected, needed)[0, 1])
    return stage


def _overheads(library: Library) -> Overheads:
    compute, settings = compute_of(Context(library)), library.settings
    work = Work("mfcc_assets_tests.benchmarks.scaling_run:nothing", settings_of_work(settings), "1", _NOTHING)

    def seconds(count: int, turns: int = 1) -> float:
        keys = [f"{number:04}" for number in range(count)]
        items = pa.table({"key": keys, "shard": [""] * count, "cost": [1.0] * count}, schema=ITEM)
        return min(_seconds(lambda: list(compute.run(work, items))) for _ in range(turns))

    start = jobs = 0.0
    if settings.compute == "spark":
        from mfcc_assets.compute.spark_session import slots_of, started_session

        start = _seconds(lambda: started_session(settings))
        slots = slots_of(started_session(settings), settings.spark_master)
        jobs = len(list(jobs_of(pa.table({"cost": [1.0] * _BINS}), slots))) - 1
    first, one, bins, many = seconds(1), seconds(1, _TURNS), seconds(_BINS, _TURNS), seconds(_ITEMS, _TURNS)
    return Overheads(
        start,
        max(0.0, first - one),
        max(0.0, bins - one) / jobs if jobs else 0.0,
        max(0.0, many - bins) / (_ITEMS - _BINS),
    )


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def main() -> None:
    home, version, cores, *masters = sys.argv[1:]
    # Everything that this process starts has no more cores.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    local.WORKERS = int(cores)
    sys.stdout.write(json.dumps(asdict(taken(Path(home), version, "".join(masters)))) + "\n")


if __name__ == "__main__":
    main()
