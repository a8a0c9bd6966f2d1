"""What one more track, and two thousand more, cost in a large library."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.pipeline.quality import measure_quality
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.recommendations import recommend_soundtracks


@dataclass
class Phases:
    """Seconds, core seconds and written bytes of each phase of a run."""

    seconds: dict[str, float] = field(default_factory=dict)
    core_seconds: dict[str, float] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        seconds, cores, written = time.perf_counter(), time.process_time(), _written()
        yield
        self.seconds[name] = time.perf_counter() - seconds
        self.core_seconds[name] = time.process_time() - cores
        self.written[name] = _written() - written


def _written() -> int:
    """Return the number of bytes that this process has passed to the system to be written, to any file."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))


def run_over(library: Library, phases: Phases) -> None:
    """Do what a run does after the features."""
    with phases.phase("index"):
        index = build_index(library).index
    with phases.phase("candidates"):
        list(find_candidates(library, index, library.shards))
    with phases.phase("rankings"):
        list(rank_candidates(library, index, library.shards))
    with phases.phase("quality"):
        measure_quality(library, index.version)
    with phases.phase("publication"):
        publish_built_index(library)
    with phases.phase("recommendations"):
        for _ in recommend_soundtracks(library, index, library.shards, run_id="run"):
            pass
