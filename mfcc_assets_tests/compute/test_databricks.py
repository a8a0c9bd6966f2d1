"""The engine of Databricks with a made-up job. Real ones are in defs/test_databricks."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pyarrow as pa
import pytest

from mfcc_assets.compute import databricks
from mfcc_assets.compute.chosen import compute_of, jobs_started_by
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.databricks import PARTS_AHEAD, STARTING, WORK_FOLDER, DatabricksEngine
from mfcc_assets.compute.port import Activity, Compute, Work
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.compute.worker import results_of, slices_of
from mfcc_assets.errors import ComputeFailed
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.compute.sample_work import numbers, work_named

LEAST = 3


@dataclass
class MadeUpJob:
    """A job that does some items whenever the engine looks, and can fail after some looks."""

    library: Library
    fails_after: int = 1000
    looks: int = 0
    cancelled: int = 0
    started: int = 0
    computes: bool = False
    begun: list[str] = field(default_factory=list)
    _waiting: list[pa.RecordBatch] = field(default_factory=list)
    _exchanged: WorkBlobs | None = None

    def start(self, folder: str) -> "MadeUpJob":
        self.started += 1
        self._exchanged = WorkBlobs(self.library.blobs, folder)
        return self

    def has_ended(self, _seconds: float) -> bool:
        self.looks, self.computes = self.looks + 1, True
        exchanged = self._exchanged
        assert exchanged is not None
        for name in exchanged.item_names():
            work, items = exchanged.read_items(name)
            if name not in self.begun:
                self.begun.append(name)
                self._waiting += slices_of(items.combine_chunks().to_batches()[0], 2)
        if not self._waiting or self.looks > self.fails_after:
            assert self.looks > self.fails_after or exchanged.has_end()
            return True
        results = results_of(Context(self.library), work, self._waiting.pop(0))
        exchanged.write_results(f"{self.looks:06}", pa.Table.from_batches([results]))
        return False

    def check(self) -> None:
        if self.looks > self.fails_after:
            raise ComputeFailed("the job failed", subject="run 1 on Databricks")

    def cancel(self) -> None:
        self.cancelled += 1


@pytest.fixture
def job(library: Library) -> MadeUpJob:
    return MadeUpJob(library)


@pytest.fixture
def compute(library: Library, job: MadeUpJob) -> Compute:
    return Compute(DatabricksEngine(library.blobs, job.start, ThreadsEngine(Context(library)), LEAST))


@pytest.fixture
def work(library: Library) -> Work:
    return work_named("write_name", settings_of_work(library.settings))


def test_results_are_yielded_while_the_job_runs_and_nothing_is_left_of_it(
    compute, job, work, library, tmp_path
) -> None:
    told = list[Activity]()
    running = compute.run(work, numbers(range(7), tmp_path), told.append)

    first = next(running)
    assert job.looks == 1
    rows = [row for batch in (first, *running) for row in batch.to_pylist()]

    assert sorted(row["key"] for row in rows) == [f"{number:04}" for number in range(7)]
    assert told == [Activity(STARTING), Activity()]
    assert list(library.blobs.list(CEPSTRA, f"{WORK_FOLDER}/")) == []


def test_what_a_job_did_before_it_failed_is_yielded_before_the_error(compute, job, work, tmp_path) -> None:
    job.fails_after = 2
    seen = list[str]()

    def run() -> None:
        for batch in compute.run(work, numbers(range(7), tmp_path)):
            seen.extend(batch["key"].to_pylist())

    with pytest.raises(ComputeFailed, match="run 1 on Databricks: the job failed"):
        run()
    assert seen == ["0000", "0001", "0002", "0003"]


def test_abandoned_work_cancels_its_job_and_leaves_nothing(compute, job, work, library, tmp_path) -> None:
    running = compute.run(work, numbers(range(7), tmp_path))
    next(running)

    running.close()

    assert job.cancelled == 1
    assert list(library.blobs.list(CEPSTRA, f"{WORK_FOLDER}/")) == []


def test_one_job_does_all_parts_and_a_few_of_them_are_planned_ahead(compute, job, work, tmp_path) -> None:
    planned = list[int]()

    def parts() -> Iterator[pa.Table]:
        for number in range(8):
            planned.append(number)
            yield numbers(range(4 * number, 4 * number + 4), tmp_path)

    running = compute.run_parts(work, parts())
    first = next(running)
    assert len(planned) == PARTS_AHEAD
    keys = [key for batch in (first, *running) for key in batch["key"].to_pylist()]

    assert keys == [f"{number:04}" for number in range(32)]
    assert (job.started, len(job.begun)) == (1, 8)


def test_a_job_gets_signs_as_long_as_its_results_are_wanted(
    compute, work, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databricks, "SECONDS_BETWEEN_SIGNS", 0.01)
    signs = SimpleQueue[int]()
    monkeypatch.setattr(WorkBlobs, "write_sign", lambda _, number: signs.put(number))
    running = compute.run(work, numbers(range(7), tmp_path))
    next(running)

    assert [signs.get() for _ in range(3)] == [1, 2, 3]
    running.close()
    assert "signs to databricks" not in [thread.name for thread in threading.enumerate()]


def test_work_on_few_items_is_done_here(compute, job, work, tmp_path) -> None:
    rows = [row for batch in compute.run(work, numbers([1, 2], tmp_path)) for row in batch.to_pylist()]

    in_parts = compute.run_parts(work, (numbers([number], tmp_path) for number in (3, 4)))

    assert len(rows) + len(list(in_parts)) == 2 * (LEAST - 1)
    assert job.started == 0


def test_small_parts_that_are_much_work_together_are_done_by_a_job(compute, job, work, tmp_path) -> None:
    parts = (numbers([number], tmp_path) for number in range(LEAST))

    assert len(list(compute.run_parts(work, parts))) == LEAST
    assert job.started == 1


def test_outside_of_a_step_this_machine_works(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(library)
    chosen = library.settings.model_copy(update={"compute": "databricks"})
    monkeypatch.setattr(Context, "settings", property(lambda _: chosen))
    start: Callable[[str], MadeUpJob] = MadeUpJob(library).start

    with jobs_started_by(start):
        within = compute_of(context)
    after = compute_of(context)

    engines = [type(each._engine) for each in (within, after)]  # noqa: SLF001  nothing else tells
    assert engines == [DatabricksEngine, ThreadsEngine]
