"""The port to the engines that do heavy work: the threads of this machine, or the executors of a cluster.

A stage plans what is missing, an engine applies a function to these items, and the stage stores what comes back. The
function is named, and never a closure, because an executor on another machine imports it. It gets a
`mfcc_assets.compute.context.Context`, the version that the caller has pinned, and some of the items.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import pyarrow as pa

from mfcc_assets import errors
from mfcc_assets.errors import ComputeFailed, MfccError, WorkFailed

ITEM = pa.schema([("key", pa.string()), ("shard", pa.string()), ("cost", pa.float64())])
"""Columns that all items have: a key that no other item has, the shard, and the expected work in any unit."""

ERROR = pa.struct([(name, pa.string()) for name in ("what", "subject", "remedy", "traceback")])

RESULT = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("error_code", pa.string()),
        ("error", ERROR),
        ("milliseconds", pa.float64()),
    ]
)
"""Columns that all results have, before those of the work. The last is the time that the item took on its core."""

MOST_FAILED = 10
"""Number of failed items after which the others are not tried. The fault then lies elsewhere, as in a full disk."""

_FEW = 3
"""Largest number of keys that a message names."""


@dataclass(frozen=True)
class Work:
    """What is done with each of many items. It can be pickled, and it holds no secret.

    Attributes
    ----------
    function
        Name of the function, such as ``mfcc_assets.pipeline.feature_work:analyse_files``. It takes a context, the
        version and a record batch of items, and returns a record batch with `columns` and one row for each item, in
        their order.
    settings
        Settings with which an executor opens its context; see `mfcc_assets.compute.context.settings_of_work`.
    version
        Version of the features or of the index that the work uses or makes.
    columns
        Columns of the function's result.
    at_once
        Largest number of items that the function gets in one call.
    """

    function: str
    settings: Mapping[str, str]
    version: str
    columns: pa.Schema
    at_once: int = 1

    @property
    def result(self) -> pa.Schema:
        """Columns of the results: `RESULT`, followed by those of the function, which are null if it failed."""
        return pa.schema([*RESULT, *self.columns])


@dataclass(frozen=True)
class Activity:
    """What an engine tells between results.

    Attributes
    ----------
    doing
        What it does before it can compute, such as ``Starting Spark``. It is empty while it computes.
    begun
        Keys of the items that it has just begun. An engine on other machines does not tell them.
    """

    doing: str = ""
    begun: Sequence[str] = ()


def unwatched(_: Activity) -> None:
    """Show nothing of what an engine does."""


class Engine(Protocol):
    """The port. An adapter applies work to items, and yields the results as they become ready.

    The items come in parts, at least one. An engine takes a part when it can soon begin it, so that not all of them are
    in memory.
    """

    def results(
        self, work: Work, parts: Iterator[pa.Table], on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]: ...


class Compute:
    """Lets an engine do work, and checks what it gives back.

    Parameters
    ----------
    engine
        The engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(
        self, work: Work, items: pa.Table, on_activity: Callable[[Activity], None] = unwatched
    ) -> Iterator[pa.RecordBatch]:
        """Apply work to items, and yield the results as they become ready, in any order.

        Every key comes back once: with the columns of the function, or with an error. See `error_of`.

        Parameters
        ----------
        work
            The work.
        items
            The items, with the columns of `ITEM` and those that the function reads. Their order is that in which they
            are begun.
        on_activity
            Shows what the engine does.

        Raises
        ------
        ComputeFailed
            If the engine fails, loses an item, or gives one back twice.
        """
        yield from self.run_parts(work, [items], on_activity)

    def run_parts(
        self, work: Work, parts: Iterable[pa.Table], on_activity: Callable[[Activity], None] = unwatched
    ) -> Iterator[pa.RecordBatch]:
        """Do what `run` does, for items that come in parts, such as those of some shards. A job does all parts.

        A part is taken when the engine can soon begin it. Parts without items are left out.
        """
        missing = set[str]()
        given = _checked(parts, missing)
        first = next(given, None)
        if first is None:
            return
        for batch in self._engine.results(work, chain([first], given), on_activity):
            if batch.schema != work.result:
                raise _broken(work, f"it returned {batch.schema.names} instead of {work.result.names}")
            keys = batch["key"].to_pylist()
            if wrong := [key for key, count in Counter(keys).items() if count > 1 or key not in missing]:
                raise _broken(work, f"it returned {_first(wrong)} once too often")
            missing.difference_update(keys)
            yield batch
        if missing:
            raise _broken(work, f"it did not return {_first(sorted(missing))}")
        if (left := next(given, None)) is not None:
            raise _broken(work, f"it did not take {_first(left['key'].to_pylist())}")


def _checked(parts: Iterable[pa.Table], missing: set[str]) -> Iterator[pa.Table]:
    """Yield the parts that have items, and add the keys of each to those that are missing."""
    for items in parts:
        keys = items["key"].to_pylist()
        if twice := [key for key, count in Counter(keys).items() if count > 1 or key in missing]:
            raise ValueError(f"keys of items must be unique, and these are not: {_first(twice)}")
        missing.update(keys)
        if keys:
            yield items


def error_of(result: Mapping[str, Any]) -> MfccError | None:
    """Return the error in a row of results; None if the work on the item succeeded.

    An error of this package is of its own class again. Any other one is a `WorkFailed`.
    """
    if result["error_code"] is None:
        return None
    known = getattr(errors, result["error_code"], None)
    kind = known if isinstance(known, type) and issubclass(known, MfccError) else WorkFailed
    told = result["error"]
    return kind(told["what"], subject=told["subject"], remedy=told["remedy"])


def _broken(work: Work, what: str) -> ComputeFailed:
    return ComputeFailed(f"the engine is at fault: {what}", subject=work.function, remedy="Run it again")


def _first(keys: Any) -> str:
    every = list(keys)
    more = f" and {len(every) - _FEW} more" if len(every) > _FEW else ""
    return ", ".join(every[:_FEW]) + more
