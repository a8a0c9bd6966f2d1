"""Candidates and rankings of every soundtrack of an index.

Candidates and rankings of an index version never change. The shard of an audio id is the shard of the track that
represented it when the index was built.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.port import Work
from mfcc_assets.errors import CorruptIndex, MfccError
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import list_work
from mfcc_assets.pipeline.failed_work import FailedWork, name_of_audio
from mfcc_assets.pipeline.list_plans import CandidatesPlanner, RankingsPlanner
from mfcc_assets.pipeline.progress import Report, start_of_engine, unseen
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.pipeline.stored_rankings import intact_lists
from mfcc_assets.pipeline.work_on_shards import PlannedShard, completed_shards
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists, newest, newest_heads
from mfcc_assets.storage.ranking_store import STAGES, Stage

_logger = logging.getLogger(__name__)

_Plan = TypeVar("_Plan", bound=PlannedShard)

_AT_ONCE = 512
"""Largest number of queries that a function gets in one call. Those with known lists are compared together."""


@dataclass(frozen=True)
class ListsReport:
    """Numbers of pairs that one stage handled for one shard.

    Attributes
    ----------
    kept
        Number of pairs of query and candidate that are stored.
    compared
        Number of pairs that were compared to find them.
    repaired
        Number of damaged files that were computed again.
    """

    kept: int
    compared: int
    repaired: int = 0


def find_candidates(
    library: Library, index: LibraryIndex, shards: Sequence[str], *, report_progress: Report = unseen
) -> Iterator[tuple[str, ListsReport]]:
    """Find and store the candidates of every audio id of each shard, and yield a report for each shard.

    A shard whose candidates are already stored and intact is skipped. Candidates of the published index are taken over
    where no track that came or went concerns them. Only one track of each recording is a candidate, so that copies take
    no places from other recordings.

    Parameters
    ----------
    library, index
        The library and the index.
    shards
        Shards whose candidates are found.
    report_progress
        Function that shows what is done before the first candidates are found, such as the start of an engine.
    """
    recordings_of(library, index)
    stage = _ListsOfStage(library, index, "candidates", report_progress)
    yield from stage.stored(shards)
    planner = CandidatesPlanner(library, index, stage.context, list(stage.missing))
    again = list[str]()
    plans = map(planner.plan, stage.missing)
    for plan, found in stage.computed("candidates_of_tracks", list_work.CANDIDATES, plans):
        lists, former = _candidate_lists(index, found, plan.gone), planner.former
        if plan.former is None or former is None:
            library.rankings.write("candidates", index.version, plan.shard, lists)
            yield stage.report(plan.shard, lists.heads(), _compared(found))
        elif _is_written(library, index.version, plan.shard, lists, former.version):
            yield stage.report(plan.shard, newest_heads([plan.former, lists.heads()]), _compared(found))
        else:
            again.append(plan.shard)
    plans = map(planner.anew, again)
    for plan, found in stage.computed("candidates_of_tracks", list_work.CANDIDATES, plans):
        lists = _candidate_lists(index, found, plan.gone)
        library.rankings.write("candidates", index.version, plan.shard, lists)
        yield stage.report(plan.shard, lists.heads(), _compared(found))


def rank_candidates(
    library: Library, index: LibraryIndex, shards: Sequence[str], *, report_progress: Report = unseen
) -> Iterator[tuple[str, ListsReport]]:
    """Rank and store the candidates of every audio id of each shard, and yield a report for each shard.

    A shard whose rankings are already stored and intact is skipped. The ranking of a query has the nearest of all its
    candidates. Rankings of the published index are taken over, and compared only with candidates that it did not have.

    Parameters
    ----------
    library, index, shards, report_progress
        As for `find_candidates`.

    Raises
    ------
    NoPublishedIndex
        If the candidates of a shard are missing.
    """
    stage = _ListsOfStage(library, index, "rankings", report_progress)
    yield from stage.stored(shards)
    planner = RankingsPlanner(library, index)
    plans = map(planner.plan, stage.missing)
    for plan, found in stage.computed("rankings_of_tracks", list_work.RANKED, plans):
        lists, former = RankedLists.of({**list_work.rankings_in(index, found), **plan.unchanged}), planner.former
        kept = lists.heads()
        if plan.former is None or plan.gone is None or former is None:
            library.rankings.write("rankings", index.version, plan.shard, lists)
        else:
            changed = newest([plan.gone, lists])
            library.rankings.write_changes("rankings", index.version, plan.shard, changed, former=former.version)
            kept = newest_heads([plan.former.heads(), changed.heads()])
        yield stage.report(plan.shard, kept, plan.compared)


def repair_rankings(library: Library, index: LibraryIndex) -> None:
    """Compute the damaged candidates and rankings of an index again. Missing ones stay missing.

    Raises
    ------
    FeaturesMissing
        If a track cannot be compared.
    """
    damaged = [
        shard
        for shard in library.shards
        if any(intact_lists(library, stage, index.version, shard)[1] for stage in STAGES)
    ]
    for compute in (find_candidates, rank_candidates):
        for _ in compute(library, index, damaged):
            pass


class _ListsOfStage:
    """The lists of one stage: which of them are missing, and what computes them.

    Attributes
    ----------
    context
        Context of this process.
    missing
        Shards without intact lists, and whether these are damaged.
    """

    def __init__(self, library: Library, index: LibraryIndex, stage: Stage, report: Report) -> None:
        self._library, self._index, self._stage, self._report = library, index, stage, report
        self.context = Context(library, index)
        self.missing: dict[str, bool] = {}

    def stored(self, shards: Iterable[str]) -> Iterator[tuple[str, ListsReport]]:
        """Yield a report for each shard whose lists are stored and intact, and remember the others."""
        for shard in shards:
            stored, is_damaged = intact_lists(self._library, self._stage, self._index.version, shard)
            if stored is None:
                self.missing[shard] = is_damaged
            else:
                yield shard, ListsReport(len(stored.candidates), compared=0)

    def computed(self, function: str, columns: pa.Schema, plans: Iterable[_Plan]) -> Iterator[tuple[_Plan, pa.Table]]:
        """Yield planned shards with the results of a function of `mfcc_assets.pipeline.list_work`.

        Raises
        ------
        MfccError
            If the function failed on a query. The shards without such a query are yielded before.
        """
        settings, failed = settings_of_work(self._library.settings), FailedWork()
        work = Work(f"{list_work.__name__}:{function}", settings, self._index.version, columns, _AT_ONCE)

        def add(key: str, error: MfccError) -> None:
            failed.add(error, name_of_audio(self._library, AudioId(key)))

        tell = start_of_engine(self._report)
        yield from completed_shards(compute_of(self.context), work, plans, on_failure=add, on_activity=tell)
        failed.raise_first()

    def report(self, shard: str, kept: ListHeads, compared: int) -> tuple[str, ListsReport]:
        """Return the report on a shard that was stored, and record its repair."""
        is_repair = self.missing[shard]
        if is_repair:
            self._library.repairs.record(
                f"Shard {shard} of the {self._stage} of index {self._index.version} was damaged and computed again."
            )
        return shard, ListsReport(int(kept.lengths.sum()), compared, repaired=int(is_repair))


def _candidate_lists(index: LibraryIndex, found: pa.Table, gone: Sequence[AudioId]) -> RankedLists:
    """Return the lists of candidates that were found, and empty lists of queries that are gone."""
    ids, found = index.tracks.audio_ids.array, found.sort_by("key").combine_chunks()
    columns = {name: found[name].combine_chunks() for name in ("key", "rows", "estimates", "limit")}
    lists = RankedLists(
        IdArray(ids[index.tracks.rows(columns["key"].to_pylist())]),
        np.append(0, np.cumsum(pc.list_value_length(columns["rows"]).to_numpy(), dtype=np.int64)),
        IdArray(ids[columns["rows"].flatten().to_numpy()]),
        columns["estimates"].flatten().to_numpy(),
        columns["limit"].to_numpy(),
    )
    return newest([RankedLists.of({audio_id: [] for audio_id in gone}), lists])


def _compared(found: pa.Table) -> int:
    compared: int | None = pc.sum(found["compared"]).as_py()
    return compared or 0


def _is_written(library: Library, version: str, shard: str, changes: RankedLists, former: str) -> bool:
    """Write the changed candidates of a shard; return False if the former ones turn out to be damaged."""
    try:
        library.rankings.write_changes("candidates", version, shard, changes, former=former)
    except CorruptIndex as error:
        _logger.warning("%s", error)
        return False
    return True
