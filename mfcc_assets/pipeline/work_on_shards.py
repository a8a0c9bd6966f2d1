"""Work on many shards at once. Each shard is stored as soon as all of its items are done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from mfcc_assets.compute.port import Activity, Compute, Work, unwatched
from mfcc_assets.errors import MfccError
from mfcc_assets.pipeline.failed_work import succeeded

ITEMS_AT_ONCE = 50_000
BYTES_AT_ONCE = 256 << 20
"""Shards with so many items are planned together: enough to fill a cluster, and not all in memory."""


class PlannedShard(Protocol):
    """What is missing of a shard."""

    @property
    def shard(self) -> str: ...
    @property
    def items(self) -> pa.Table: ...


_Plan = TypeVar("_Plan", bound=PlannedShard)


def completed_shards(
    compute: Compute,
    work: Work,
    plans: Iterable[_Plan],
    *,
    on_failure: Callable[[str, MfccError], None],
    on_activity: Callable[[Activity], None] = unwatched,
) -> Iterator[tuple[_Plan, pa.Table]]:
    """Yield each planned shard with the results of all its items. A shard with an item that failed is left out.

    Parameters
    ----------
    compute
        What does the work.
    work
        The work.
    plans
        What is missing of each shard. Not all are taken before the first results are yielded.
    on_failure
        Called with the key and the error of each item that failed.
    on_activity
        Shows what the engine does.
    """
    shards = _Shards[_Plan](work.result.empty_table())
    parts = (shards.planned(group) for group in _groups(plans))
    for batch in succeeded(compute.run_parts(work, parts, on_activity), on_failure):
        yield from shards.completed_by(batch)
    yield from shards.without_items()


class _Shards(Generic[_Plan]):
    """Shards that are not complete, and what has come back of each.

    A shard without items is complete when the one before it is, so that shards come about in their order.
    """

    def __init__(self, nothing: pa.Table) -> None:
        self._nothing = nothing
        self._waiting, self._found = dict[str, _Plan](), dict[str, list[pa.RecordBatch]]()
        self._without_items, self._before = defaultdict[str, list[_Plan]](list), ""

    def planned(self, group: Sequence[_Plan]) -> pa.Table:
        """Return the items of some shards, whose results are to come."""
        for plan in group:
            if plan.items.num_rows:
                self._waiting[plan.shard], self._found[plan.shard] = plan, []
                self._before = plan.shard
            else:
                self._without_items[self._before if self._before in self._waiting else ""].append(plan)
        return pa.concat_tables([plan.items for plan in group])

    def completed_by(self, batch: pa.RecordBatch) -> Iterator[tuple[_Plan, pa.Table]]:
        """Yield the shards that are complete with these results."""
        yield from self._after("")
        for shard in pc.unique(batch["shard"]).to_pylist():
            found = self._found[shard]
            found.append(batch.filter(pc.equal(batch["shard"], shard)))
            if sum(some.num_rows for some in found) == self._waiting[shard].items.num_rows:
                del self._found[shard]
                yield self._waiting.pop(shard), pa.Table.from_batches(found, self._nothing.schema)
                yield from self._after(shard)

    def without_items(self) -> Iterator[tuple[_Plan, pa.Table]]:
        """Yield the shards without items that are left at the end."""
        for shard in list(self._without_items):
            yield from self._after(shard)

    def _after(self, shard: str) -> Iterator[tuple[_Plan, pa.Table]]:
        for plan in self._without_items.pop(shard, ()):
            yield plan, self._nothing


def _groups(plans: Iterable[_Plan]) -> Iterator[list[_Plan]]:
    group, rows, size = list[_Plan](), 0, 0
    for plan in plans:
        group.append(plan)
        rows, size = rows + plan.items.num_rows, size + plan.items.nbytes
        if rows >= ITEMS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group
