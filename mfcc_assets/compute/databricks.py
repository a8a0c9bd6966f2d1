"""The engine of Azure Databricks: a job there does the work on its executors, and its results come back through blobs.

The job is `mfcc_assets.compute.databricks_job`, on a cluster that exists as long as the job. What starts it knows the
API of Databricks and belongs to Dagster; see `mfcc_assets.defs.databricks`. Here it is a function.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from threading import Event, Thread
from typing import Protocol
from uuid import uuid4

import pyarrow as pa

from mfcc_assets.compute.port import Activity, Engine, Work
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore

STARTING = "Starting a cluster on Databricks"

WORK_FOLDER = "jobs"
"""Folder of all jobs in the container `cepstra`."""

SECONDS_BETWEEN_LOOKS = 5.0
"""Time between two looks for results."""

SECONDS_BETWEEN_SIGNS = 60.0
"""Time between two signs to a job that its results are wanted."""

PARTS_AHEAD = 3
"""Number of parts that a job has before it. So its executors always have work, and not all parts are in memory."""

_logger = logging.getLogger(__name__)


class Job(Protocol):
    """A job that was started."""

    @property
    def computes(self) -> bool:
        """Whether it is at work, after its cluster has started."""
        ...

    def has_ended(self, seconds: float) -> bool:
        """Wait for its end, at most so many seconds, and return whether it has ended."""
        ...

    def check(self) -> None:
        """Raise `ComputeFailed` with the cause if the job that has ended did not succeed."""
        ...

    def cancel(self) -> None:
        """End the job, if it runs. Its cluster ends with it."""
        ...


Start = Callable[[str], Job]
"""Starts a job on the work in a folder of the container `cepstra`."""


class DatabricksEngine:
    """Does work by one job of Databricks, whatever the number of its parts, and little work on this machine.

    Parameters
    ----------
    blobs
        The blobs of the library, which the job can reach, too.
    start
        What starts a job.
    here
        Engine that does work on fewer items than `least`, because a cluster takes minutes to start.
    least
        Smallest number of items for a job.
    """

    def __init__(self, blobs: BlobStore, start: Start, here: Engine, least: int) -> None:
        self._blobs, self._start, self._here, self._least = blobs, start, here, least

    def results(
        self, work: Work, parts: Iterator[pa.Table], on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]:
        first, rows = list[pa.Table](), 0
        while rows < self._least:
            if (items := next(parts, None)) is None:
                yield from self._here.results(work, iter(first), on_activity)
                return
            first, rows = [*first, items], rows + items.num_rows
        exchanged = WorkBlobs(self._blobs, f"{WORK_FOLDER}/{uuid4().hex}")
        given = _GivenParts(exchanged, work, chain(first, parts))
        try:
            with _signs_given(exchanged):
                yield from self._results_of_job(exchanged, given, on_activity)
        finally:
            try:
                exchanged.delete()
            except StoreError as error:
                # The results are complete, or another error says why they are not.
                _logger.warning("The work of a job is left in the container %s: %s", CEPSTRA, error)

    def _results_of_job(
        self, exchanged: WorkBlobs, given: "_GivenParts", on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]:
        on_activity(Activity(STARTING))
        given.give_next()
        job = self._start(exchanged.folder)
        seen, done, ended, starts = set[str](), 0, False, True
        try:
            while not ended:
                # Parts are planned while the cluster starts and while it computes.
                given.give_until_enough_are_ahead(done)
                # What was written before the end is seen after it.
                ended = job.has_ended(SECONDS_BETWEEN_LOOKS)
                if starts and job.computes:
                    starts = False
                    on_activity(Activity())
                for name in exchanged.result_names():
                    if name not in seen:
                        seen.add(name)
                        found = exchanged.read_results(name)
                        done += found.num_rows
                        yield from found.to_batches()
            job.check()
        finally:
            job.cancel()


class _GivenParts:
    """Gives a job the parts of its items, a few of them ahead of what it has done."""

    def __init__(self, exchanged: WorkBlobs, work: Work, parts: Iterator[pa.Table]) -> None:
        self._exchanged, self._work, self._parts = exchanged, work, parts
        self._ends, self._has_ended = list[int](), False

    def give_next(self) -> None:
        """Give the next part, or tell that there is none."""
        items = next(self._parts, None)
        if items is None:
            self._exchanged.write_end()
            self._has_ended = True
            return
        self._exchanged.write_items(f"{len(self._ends):06}", self._work, items)
        self._ends.append((self._ends[-1] if self._ends else 0) + items.num_rows)

    def give_until_enough_are_ahead(self, done: int) -> None:
        """Give parts until enough of them, or all, are ahead of so many items that are done."""
        while not self._has_ended and sum(end > done for end in self._ends) < PARTS_AHEAD:
            self.give_next()


@contextmanager
def _signs_given(exchanged: WorkBlobs) -> Iterator[None]:
    """Give a sign every minute. Without one, the job ends: its cluster must not outlive a process that was killed."""
    ended = Event()

    def give() -> None:
        for number in count(1):
            try:
                exchanged.write_sign(number)
            except Exception as error:  # noqa: BLE001  the next one may succeed
                _logger.warning("The job on Databricks gets no sign: %s", error)
            if ended.wait(SECONDS_BETWEEN_SIGNS):
                return

    thread = Thread(target=give, name="signs to databricks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
