"""Work on all cores of this machine."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Decoding, FFT, FAISS and compiled DTW all release the interpreter's lock, so threads fill the cores and share caches.
WORKERS = os.cpu_count() or 1


def on_all_cores(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
    """Apply `work` to every item, several at a time, and yield each item with its result as soon as it is there.

    Items are taken as they are needed, so that a million of them cost no more memory than a few. An exception of
    `work` is raised here; what was begun is finished first.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(WORKERS) as pool:
        running: dict[Future[_Result], _Item] = {}

        def begin(count: int) -> None:
            running.update({pool.submit(work, item): item for item in islice(remaining, count)})

        begin(2 * WORKERS)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
            begin(len(done))
