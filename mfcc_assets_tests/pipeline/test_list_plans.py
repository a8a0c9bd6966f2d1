"""What is planned of candidates and rankings, and what is taken over without work."""

import numpy as np
import pytest

from mfcc_assets.compute.context import Context
from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.list_plans import CandidatesPlanner, RankingsPlanner
from mfcc_assets.pipeline.rankings import find_candidates
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish

TRACKS = 10


@pytest.fixture
def published(library: Library) -> Library:
    add_tracks(library, *range(TRACKS))
    publish(library)
    return library


def planner(library: Library) -> CandidatesPlanner:
    index = build_index(library).index
    recordings_of(library, index)
    return CandidatesPlanner(library, index, Context(library, index), library.shards)


def test_without_a_published_index_each_track_of_a_shard_is_a_query(library: Library) -> None:
    add_tracks(library, *range(TRACKS))
    planned = planner(library)

    plans = [planned.plan(shard) for shard in library.shards]

    assert sorted(key for plan in plans for key in plan.items["key"].to_pylist()) == sorted(
        map(audio_id, range(TRACKS))
    )
    assert all(plan.former is None and plan.items["known_rows"].null_count == plan.items.num_rows for plan in plans)
    assert all(set(plan.items["shard"].to_pylist()) <= {plan.shard} for plan in plans)


@pytest.mark.usefixtures("large_library")
def test_candidates_are_taken_over_and_only_compared_with_new_tracks(published: Library) -> None:
    add_tracks(published, TRACKS)
    planned = planner(published)

    plans = [planned.plan(shard) for shard in published.shards]

    entrants = [number for plan in plans for number in plan.items["entrants"].to_pylist()]
    assert entrants.count(1) + entrants.count(None) == len(entrants)
    assert entrants.count(None) == 1, "the candidates of the new track are found anew"
    assert all(plan.former is not None for plan in plans if plan.items.num_rows)


@pytest.mark.usefixtures("large_library")
def test_a_shard_can_be_planned_anew_although_it_has_former_candidates(published: Library) -> None:
    add_tracks(published, TRACKS)
    planned = planner(published)

    plans = [planned.anew(shard) for shard in published.shards]

    assert sum(plan.items.num_rows for plan in plans) == TRACKS + 1


@pytest.mark.usefixtures("large_library")
def test_known_rankings_are_compared_with_new_candidates_only(published: Library) -> None:
    add_tracks(published, TRACKS)
    index = build_index(published).index
    list(find_candidates(published, index, published.shards))
    planned = RankingsPlanner(published, index)

    plans = [planned.plan(shard) for shard in published.shards]

    rows = [row for plan in plans for row in plan.items.to_pylist()]
    assert {len(row["candidates"]) for row in rows if row["known_rows"] is not None} == {1}
    assert [row["key"] for row in rows if row["known_rows"] is None] == [audio_id(TRACKS)]
    assert sum(plan.compared for plan in plans) == sum(len(row["candidates"]) for row in rows)


@pytest.mark.usefixtures("large_library")
def test_a_ranking_costs_the_pairs_of_frames_that_it_compares(published: Library) -> None:
    index = build_index(published).index
    planned = RankingsPlanner(published, index)
    planned.former = None
    frames = index.coarse_contours.lengths

    rows = [row for shard in published.shards for row in planned.plan(shard).items.to_pylist()]

    assert len(rows) == TRACKS
    for row in rows:
        compared = frames(np.array(row["candidates"], np.int64))
        assert row["cost"] == frames(np.array([row["row"]]))[0] * compared.sum() > 0


def test_rankings_cannot_be_planned_without_candidates(published: Library) -> None:
    add_tracks(published, TRACKS)
    index = build_index(published).index

    with pytest.raises(NoPublishedIndex, match="candidates of 0 are missing"):
        RankingsPlanner(published, index).plan("0")
