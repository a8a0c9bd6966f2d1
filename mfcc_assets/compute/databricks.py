"""The engine of Azure Databricks: a job there does the work on its executors, and its results come back through blobs.

The job is `mfcc_assets.compute.databricks_job`, on a cluster that exists as long as the job. What starts it knows the
API of Databricks and belongs to Dagster; see `mfcc_assets.defs.databricks`. Here it is a function.
"""

from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import uuid4

import pyarrow as pa

from mfcc_assets.compute.port import Engine, Progress, Work
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.storage.blobs.port import BlobStore

STARTING = "Starting a cluster on Databricks"

WORK_FOLDER = "work"
"""Folder of all jobs in the container `cepstra`."""

SECONDS_BETWEEN_LOOKS = 5.0
"""Time between two looks for results."""


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
    """Does work by a job of Databricks, and little work on this machine.

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

    def results(self, work: Work, items: pa.Table, on_progress: Callable[[Progress], None]) -> Iterator[pa.RecordBatch]:
        if items.num_rows < self._least:
            yield from self._here.results(work, items, on_progress)
            return
        exchanged = WorkBlobs(self._blobs, f"{WORK_FOLDER}/{uuid4().hex}")
        exchanged.write_items(work, items)
        try:
            yield from self._results_of_job(exchanged, on_progress)
        finally:
            exchanged.delete()

    def _results_of_job(
        self, exchanged: WorkBlobs, on_progress: Callable[[Progress], None]
    ) -> Iterator[pa.RecordBatch]:
        on_progress(Progress(STARTING))
        job = self._start(exchanged.folder)
        seen, ended, starts = set[str](), False, True
        try:
            while not ended:
                # What was written before the end is seen after it.
                ended = job.has_ended(SECONDS_BETWEEN_LOOKS)
                if starts and job.computes:
                    starts = False
                    on_progress(Progress())
                for name in exchanged.result_names():
                    if name not in seen:
                        seen.add(name)
                        yield from exchanged.read_results(name).to_batches()
            job.check()
        finally:
            job.cancel()
