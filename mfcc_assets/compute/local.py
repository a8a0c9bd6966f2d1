"""Work on all cores of the local machine."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

WORKERS = os.cpu_count() or 1
"""Number of threads. Threads fill all cores, since decoders, FFT, FAISS and kernels release the interpreter's lock."""


def on_all_cores(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
    """Apply a function to many items on all cores, and yield each item with its result as soon as it is ready.

    Parameters
    ----------
    work
        The function. Several threads call it at once.
    items
        The items. Only a few are taken ahead of the threads, so there may be millions.

    Yields
    ------
    tuple
        An item and its result, in the order in which the results become ready. Results that are ready at the same
        time come in the order of the items, so on one core all do.

    Raises
    ------
    Exception
        The first exception of `work`, after all submitted calls, at most twice the number of cores, have finished.

    Examples
    --------
    >>> sorted(on_all_cores(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    return on_threads(work, items, WORKERS)


def on_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> Generator[tuple[_Item, _Result], None, None]:
    """Do what `on_all_cores` does, on a number of threads."""
    remaining = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        running: dict[Future[_Result], _Item] = {}

        def begin(count: int) -> None:
            running.update({pool.submit(work, item): item for item in islice(remaining, count)})

        begin(2 * threads)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in [future for future in running if future in done]:
                yield running.pop(future), future.result()
            begin(len(done))
