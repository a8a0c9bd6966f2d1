"""Ranking a library, and updating its rankings after a small change with little work."""

from dataclasses import replace
from pathlib import Path

import pytest

from mfcc_assets.errors import NoPublishedIndex, WorkFailed
from mfcc_assets.ids import AudioId, shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.search import cascade
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import search_for_row
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranking_store import STAGES
from mfcc_assets_tests.ranked_library import (
    add_tracks,
    audio_id,
    compared_with_all,
    index_and_rank,
    publish,
    rank_from_scratch,
    remove_track,
    stored_pairs,
)

TRACKS = 14

as_in_a_large_library = pytest.mark.usefixtures("large_library")
"""Lists are taken over only if the calibration is kept. A small library is calibrated again at every change."""


@pytest.fixture(autouse=True)
def cascade_without_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widen the margins of the cascade, so that its rankings equal those of comparing all with all."""
    for name in ("COARSE_MODEL", "QUARTER_MODEL"):
        monkeypatch.setattr(cascade, name, replace(getattr(cascade, name), margin=2.0))


@pytest.fixture
def published(library: Library) -> LibraryIndex:
    """The published index of a library with fourteen tracks."""
    add_tracks(library, *range(TRACKS))
    return publish(library)[0]


def exhaustive(library: Library, index: LibraryIndex) -> dict[AudioId, RankedList]:
    """Return the nearest others of every audio id of an index, found by comparing all with all."""
    return {
        audio: compared_with_all(
            library, index, audio, library.features.read_track_features(audio, index.parameters.features)
        )[: index.parameters.ranked_count]
        for audio in index.tracks
    }


def assert_same_rankings(one, other) -> None:
    assert {audio: [ranked for ranked, _ in found] for audio, found in one.items()} == {
        audio: [named for named, _ in found] for audio, found in other.items()
    }
    for audio, found in one.items():
        assert [distance for _, distance in found] == pytest.approx([far for _, far in other[audio]], rel=1e-3)


def test_the_rankings_of_a_small_library_equal_comparing_all_with_all(library, published) -> None:
    assert_same_rankings(stored_pairs(library, published, "rankings"), exhaustive(library, published))


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "change", [lambda library: add_tracks(library, TRACKS), lambda library: remove_track(library, 3)]
)
def test_a_small_library_that_changed_has_the_lists_of_one_that_was_built_at_once(
    library, change, tmp_path: Path
) -> None:
    change(library)
    grown, _ = index_and_rank(library)
    lists = {stage: stored_pairs(library, grown, stage) for stage in STAGES}
    with Library(Settings(home=tmp_path / "other")) as other:
        add_tracks(other, *range(TRACKS))
        change(other)
        at_once, _ = index_and_rank(other)
        assert grown.version == at_once.version
        assert lists == {stage: stored_pairs(other, at_once, stage) for stage in STAGES}


@as_in_a_large_library
@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("added", [1, 5])
def test_rankings_after_adding_tracks_equal_rankings_from_scratch(library, added: int) -> None:
    add_tracks(library, *range(TRACKS, TRACKS + added))
    index, report = index_and_rank(library)
    assert len(index.tracks) == TRACKS + added
    assert_same_rankings(stored_pairs(library, index, "rankings"), exhaustive(library, index))
    new = {audio_id(number) for number in range(TRACKS, TRACKS + added)}
    candidates = stored_pairs(library, index, "candidates")
    fresh = {audio: {candidate for candidate, _ in found} & new for audio, found in candidates.items()}
    assert report.compared == sum(
        len(found) if audio in new else len(fresh[audio]) for audio, found in candidates.items()
    )


@as_in_a_large_library
@pytest.mark.usefixtures("published")
def test_lists_that_were_taken_over_equal_lists_from_scratch(library) -> None:
    add_tracks(library, TRACKS)
    index, _ = index_and_rank(library)
    grown = [stored_pairs(library, index, stage) for stage in STAGES]
    rank_from_scratch(library, index)
    for one, stage in zip(grown, STAGES, strict=True):
        assert_same_rankings(one, stored_pairs(library, index, stage))


@as_in_a_large_library
def test_only_queries_whose_list_lost_a_track_are_ranked_again(library, published) -> None:
    former = stored_pairs(library, published, "rankings")
    gone = former[audio_id(0)][0][0]
    remove_track(library, int(gone, 16))
    index, report = index_and_rank(library)
    rankings = stored_pairs(library, index, "rankings")
    assert_same_rankings(rankings, exhaustive(library, index))
    bereft = {audio for audio, found in former.items() if gone in dict(found) and audio != gone}
    candidates = stored_pairs(library, index, "candidates")
    known = stored_pairs(library, published, "candidates")
    assert audio_id(0) in bereft
    assert report.compared == sum(
        len(found) if audio in bereft else len(dict(found).keys() - dict(known[audio]).keys())
        for audio, found in candidates.items()
    )
    for audio in rankings.keys() - bereft:
        assert rankings[audio] == former[audio]


def test_nothing_is_computed_for_an_unchanged_library(library, published) -> None:
    rankings = stored_pairs(library, published, "rankings")
    index, report = index_and_rank(library)
    assert index.version == published.version
    assert report.kept == sum(len(found) for found in rankings.values())
    assert report.compared == 0


def test_another_ranking_takes_over_no_lists(library, published) -> None:
    with Library(Settings(home=library.settings.home, ranking="article")) as other:
        index, report = index_and_rank(other)
        assert index.version != published.version
        assert report.compared == sum(len(found) for found in stored_pairs(other, index, "candidates").values())


def test_every_other_track_of_a_very_small_library_is_ranked(library) -> None:
    add_tracks(library, 0, 1, 2)
    publish(library)
    add_tracks(library, 3)
    index, _ = index_and_rank(library)
    rankings = stored_pairs(library, index, "rankings")
    assert {audio: {ranked for ranked, _ in found} for audio, found in rankings.items()} == {
        audio: set(index.tracks) - {audio} for audio in index.tracks
    }
    assert_same_rankings(rankings, exhaustive(library, index))


def test_a_library_with_one_track_or_none_has_nothing_to_rank(library) -> None:
    assert index_and_rank(library)[1].compared == 0
    add_tracks(library, 0)
    index, report = index_and_rank(library)
    assert report.compared == 0
    assert stored_pairs(library, index, "rankings") == {}


def test_ranking_without_candidates_is_refused(library) -> None:
    add_tracks(library, 0, 1)
    index = build_index(library).index
    with pytest.raises(NoPublishedIndex, match="the candidates of 0 are missing"):
        list(rank_candidates(library, index, library.shards))


def test_work_that_fails_on_one_query_names_it_and_the_next_run_computes_only_its_shard(
    library, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tracks(library, *range(TRACKS))
    index = build_index(library).index
    list(find_candidates(library, index, library.shards))

    def fail_on_one(index: LibraryIndex, row: int, *others):
        if row == 3:
            raise ZeroDivisionError("a fault of the program")
        return search_for_row(index, row, *others)

    with monkeypatch.context() as patch:
        patch.setattr("mfcc_assets.pipeline.list_work.search_for_row", fail_on_one)
        with pytest.raises(WorkFailed, match=r"3\.flac: its work failed"):
            list(rank_candidates(library, index, library.shards))

    reports = dict(rank_candidates(library, index, library.shards))
    shard = shard_of(track_id("3.flac"), 1)
    assert {name for name, report in reports.items() if report.compared} == {shard}
    assert_same_rankings(stored_pairs(library, index, "rankings"), exhaustive(library, index))
