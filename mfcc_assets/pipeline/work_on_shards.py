"""Work on many shards at once. Each shard is stored as soon as all of its items are done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from mfcc_assets.compute.port import Compute, Progress, Work, unseen
from mfcc_assets.errors import MfccError
from mfcc_assets.pipeline.failed_work import succeeded

ITEMS_AT_ONCE = 50_000
BYTES_AT_ONCE = 256 << 20
"""Items of so many shards are planned before an engine begins them: enough to fill a cluster, and not all in memory."""


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
    on_progress: Callable[[Progress], None] = unseen,
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
    on_progress
        Shows what the engine does.
    """
    for group in _groups(plans):
        waiting = {plan.shard: plan for plan in group}
        found: dict[str, list[pa.RecordBatch]] = {plan.shard: [] for plan in group}
        without_items, nothing = _without_items(group), work.result.empty_table()
        for plan in without_items.pop(None, ()):
            yield plan, nothing
        results = compute.run(work, pa.concat_tables([plan.items for plan in group]), on_progress)
        for batch in succeeded(results, on_failure):
            for shard in pc.unique(batch["shard"]).to_pylist():
                found[shard].append(batch.filter(pc.equal(batch["shard"], shard)))
                if sum(some.num_rows for some in found[shard]) == waiting[shard].items.num_rows:
                    yield waiting.pop(shard), pa.Table.from_batches(found.pop(shard), work.result)
                    for plan in without_items.pop(shard, ()):
                        yield plan, nothing
        for plan in chain(*without_items.values()):
            yield plan, nothing


def _without_items(group: Sequence[_Plan]) -> dict[str | None, list[_Plan]]:
    """Return the plans without items, by the shard with items that comes before them.

    If they are yielded after it, shards come about in their order.
    """
    before, plans = None, defaultdict[str | None, list[_Plan]](list)
    for plan in group:
        if plan.items.num_rows:
            before = plan.shard
        else:
            plans[before].append(plan)
    return plans


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
