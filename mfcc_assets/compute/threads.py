"""The engine of this machine: its threads share one context, and with it the open index."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.compute.port import Progress, Work
from mfcc_assets.compute.worker import results_of, slices_of


class ThreadsEngine:
    """Does work on all cores of this machine.

    Parameters
    ----------
    context
        Context that all threads share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def results(self, work: Work, items: pa.Table, on_progress: Callable[[Progress], None]) -> Iterator[pa.RecordBatch]:
        def results(some: pa.RecordBatch) -> pa.RecordBatch:
            on_progress(Progress(begun=some["key"].to_pylist()))
            return results_of(self._context, work, some)

        slices = (some for batch in items.combine_chunks().to_batches() for some in slices_of(batch, work.at_once))
        if items.num_rows <= work.at_once:
            # Another thread would have nothing to do.
            yield from map(results, slices)
            return
        for _, found in on_all_cores(results, slices):
            yield found
