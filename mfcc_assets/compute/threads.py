"""The engine of this machine: its threads share one context, and with it the open index."""

from collections.abc import Callable, Iterator
from math import ceil

import pyarrow as pa
from threadpoolctl import ThreadpoolController

from mfcc_assets.compute import local
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Activity, Work
from mfcc_assets.compute.worker import function_named, results_of, slices_of


class ThreadsEngine:
    """Does work on all cores of this machine.

    Parameters
    ----------
    context
        Context that all threads share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def results(
        self, work: Work, parts: Iterator[pa.Table], on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]:
        for items in parts:
            yield from self._results_of_part(work, items, on_activity)

    def _results_of_part(
        self, work: Work, items: pa.Table, on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]:
        cores = local.WORKERS
        at_once = min(work.at_once, ceil(items.num_rows / (2 * cores)))
        batches = items.combine_chunks().to_batches()
        slices = [some for batch in batches for some in slices_of(batch, at_once)]
        # With few slices, the work on each may use several cores. Together they never have more threads than cores.
        context = self._context if len(slices) == 1 else self._context.on_cores(cores // max(1, len(slices)))

        def results(some: pa.RecordBatch) -> pa.RecordBatch:
            on_activity(Activity(begun=some["key"].to_pylist()))
            return results_of(context, work, some)

        if len(slices) == 1:
            # Another thread would have nothing to do.
            yield results(slices[0])
            return
        # Threads of libraries for matrices and for search would take the cores from the other slices. The limit holds
        # for what is loaded, and the work loads these libraries when it is imported.
        function_named(work.function)
        libraries = ThreadpoolController()

        def results_on_one_thread(number: int) -> pa.RecordBatch:
            # OpenMP has a limit for each thread that calls it.
            with libraries.limit(limits=1, user_api="openmp"):
                return results(slices[number])

        with libraries.limit(limits=1, user_api="blas"):
            for _, found in local.on_all_cores(results_on_one_thread, range(len(slices))):
                yield found
