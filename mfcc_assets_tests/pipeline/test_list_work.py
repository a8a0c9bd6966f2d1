"""The work on lists, as an engine calls it."""

import numpy as np
import pyarrow as pa
import pytest

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.list_columns import list_column
from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.list_plans import known_columns
from mfcc_assets.pipeline.list_work import (
    CANDIDATES,
    QUERIES,
    TO_RANK,
    candidates_of_tracks,
    finder_of,
    prove_nearest,
    rankings_in,
    rankings_of_tracks,
)
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets_tests.ranked_library import add_tracks

TRACKS = 12


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    add_tracks(library, *range(TRACKS))
    return build_index(library).index


@pytest.fixture
def context(library: Library, index: LibraryIndex) -> Context:
    recordings_of(library, index)
    return Context(library, index)


def items(index: LibraryIndex, rows: list[int], columns: dict, schema: pa.Schema) -> pa.RecordBatch:
    own = {
        "key": [index.tracks.audio_ids[row] for row in rows],
        "shard": ["0"] * len(rows),
        "cost": [1.0] * len(rows),
        "row": rows,
    }
    return pa.record_batch(own | columns, schema=schema)


def nothing_known(rows: list[int]) -> dict:
    return {name: pa.nulls(len(rows), QUERIES.field(name).type) for name in QUERIES.names[4:]}


def test_candidates_are_found_among_all_tracks_but_the_query(context: Context, index: LibraryIndex) -> None:
    rows = list(range(TRACKS))

    found = candidates_of_tracks(context, index.version, items(index, rows, nothing_known(rows), QUERIES))

    assert found.schema == CANDIDATES
    assert found["compared"].to_pylist() == [TRACKS - 1] * TRACKS
    for row, candidates in zip(rows, found["rows"].to_pylist(), strict=True):
        assert set(candidates) == set(rows) - {row}


def test_known_candidates_and_entrants_give_what_a_new_search_gives(context: Context, index: LibraryIndex) -> None:
    anew = candidates_of_tracks(context, index.version, items(index, [0], nothing_known([0]), QUERIES)).to_pylist()[0]
    entrant_last = sorted(range(len(anew["rows"])), key=lambda place: anew["rows"][place] == 5)
    known = {
        "known_rows": list_column([np.array(anew["rows"])[entrant_last]], pa.int64()),
        "known_estimates": list_column([np.array(anew["estimates"])[entrant_last]], pa.float64()),
        "entrants": [1],
    }

    updated = candidates_of_tracks(context, index.version, items(index, [0], known, QUERIES)).to_pylist()[0]

    assert (updated["rows"], updated["estimates"]) == (anew["rows"], anew["estimates"])
    assert updated["compared"] == 1


def ranked(context: Context, index: LibraryIndex, candidates: list[int], known: RankedList | None) -> RankedList:
    columns = {"candidates": list_column([np.array(candidates)], pa.int64()), **known_columns(index, [known])}
    some = items(index, [0], columns, TO_RANK)
    found = rankings_of_tracks(context, index.version, some)
    (ranking,) = rankings_in(
        index, pa.table({"key": some["key"], **dict(zip(found.schema.names, found, strict=True))})
    ).values()
    return ranking


def test_a_ranking_of_all_candidates_equals_a_known_one_of_some_with_the_others(
    context: Context, index: LibraryIndex
) -> None:
    others = list(range(1, TRACKS))

    at_once = ranked(context, index, others, None)

    assert {index.tracks.audio_ids[row] for row in others} == {audio_id for audio_id, _ in at_once}
    assert [far for _, far in at_once] == sorted(far for _, far in at_once)
    assert ranked(context, index, others[6:], ranked(context, index, others[:6], None)) == at_once


def test_the_proof_compares_a_query_with_all_other_recordings(context: Context, index: LibraryIndex) -> None:
    columns = {"candidates": pa.nulls(1, pa.list_(pa.int64())), **known_columns(index, [[]])}

    (proven,) = prove_nearest(context, index.version, items(index, [0], columns, TO_RANK)).to_pylist()

    nearest = ranked(context, index, list(range(1, TRACKS)), None)
    assert [index.tracks.audio_ids[row] for row in proven["rows"]] == [
        audio_id for audio_id, _ in nearest[: len(proven["rows"])]
    ]
    assert proven["distances"] == pytest.approx([far for _, far in nearest[: len(proven["rows"])]])


def test_the_recordings_must_be_found_before(library: Library, index: LibraryIndex) -> None:
    with pytest.raises(NoPublishedIndex, match="its recordings were not found yet"):
        finder_of(Context(library, index), index.version)
