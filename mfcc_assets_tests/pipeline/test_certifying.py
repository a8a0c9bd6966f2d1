"""What a search lost is found by proving an answer, and told by the recall of an index."""

import pytest

from mfcc_assets.errors import FeaturesMissing, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certified, search_for
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.quality import measure_quality, measured_recall
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.ranking_store import RankedLists
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, compared_with_all, index_and_rank, publish

TRACKS = 14
QUERY = audio_id(0)
PLACES = 5


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    """The index of fourteen ranked tracks."""
    add_tracks(library, *range(TRACKS))
    return index_and_rank(library)[0]


@pytest.fixture
def truth(library: Library, index: LibraryIndex) -> list[tuple[str, float]]:
    """All others of the library, each compared with the query, nearest first."""
    track_features = library.features.read_track_features(QUERY, index.parameters.features)
    return compared_with_all(library, index, QUERY, track_features)


def assert_same(found: list[tuple[str, float]], truth: list[tuple[str, float]]) -> None:
    assert [audio for audio, _ in found] == [audio for audio, _ in truth]
    assert [distance for _, distance in found] == pytest.approx([distance for _, distance in truth], rel=1e-3)


def certify(library, index, found, others) -> list[tuple[str, float]]:
    search = search_for(library, index, QUERY)
    return certified(library, index, search, found, count=PLACES, others=[audio for audio, _ in others])


@pytest.mark.parametrize("lost", range(PLACES))
def test_a_track_that_the_search_lost_is_found_whatever_its_place(library, index, truth, lost: int) -> None:
    found = [place for place in truth if place != truth[lost]][:PLACES]
    assert truth[lost] not in found
    assert_same(certify(library, index, found, truth), truth[:PLACES])


@pytest.mark.parametrize("found", [slice(0, PLACES), slice(2, 4), slice(8, 13), slice(0, 0), slice(0, TRACKS)])
def test_whatever_was_found_the_answer_is_that_of_comparing_with_all(library, index, truth, found: slice) -> None:
    assert_same(certify(library, index, truth[found], truth), truth[:PLACES])


def test_only_tracks_that_were_found_or_are_offered_are_named(library, index, truth) -> None:
    assert_same(certify(library, index, truth[1:2], truth[4:6]), [truth[1], truth[4], truth[5]])
    assert certify(library, index, [], []) == []


def test_proof_takes_fewer_cells_the_nearer_the_last_place_found(library, index, truth) -> None:
    cells = []
    for found in (truth[:PLACES], []):
        search = search_for(library, index, QUERY)
        certified(library, index, search, found, count=PLACES, others=[audio for audio, _ in truth])
        cells.append(search.query.cells)
    assert cells[0] < cells[1]


def test_nothing_is_certain_where_a_track_cannot_be_compared(library, index, truth) -> None:
    (farthest, _) = truth[-1]
    name = f"summaries/{index.parameters.features.version}/{farthest}.parquet"
    library.blobs.delete("cepstra", name)
    with Library(library.settings) as reopened, pytest.raises(FeaturesMissing, match=farthest):
        certify(reopened, index, truth[:PLACES], truth)


def replace_a_ranking(library, index, audio: str, change) -> None:
    """Rewrite the ranking of one audio in its shard."""
    for shard in library.shards:
        rankings = library.rankings.read("rankings", index.version, shard).by_query()
        if audio in rankings:
            rankings[audio] = change(rankings[audio])
            library.rankings.write("rankings", index.version, shard, RankedLists.of(rankings))


def test_the_recall_of_rankings_that_name_all_of_the_nearest_is_one(library, index) -> None:
    assert measured_recall(library, index) == 1.0


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_the_recall_falls_by_every_place_that_a_ranking_lost(library, index, truth, lost: int) -> None:
    replace_a_ranking(library, index, QUERY, lambda _: truth[lost : PLACES + lost])
    assert measured_recall(library, index) == pytest.approx(1 - lost / (PLACES * TRACKS))


def test_the_recall_falls_by_a_place_that_was_left_empty(library, index) -> None:
    replace_a_ranking(library, index, QUERY, lambda found: found[: PLACES - 1])
    assert measured_recall(library, index) == pytest.approx(1 - 1 / (PLACES * TRACKS))


@pytest.mark.parametrize("tracks", [0, 1, 3])
def test_nothing_is_lost_in_a_library_too_small_to_lose_anything(library, tracks: int) -> None:
    add_tracks(library, *range(tracks))
    assert measured_recall(library, index_and_rank(library)[0]) == 1.0


def test_without_rankings_there_is_no_recall(library) -> None:
    add_tracks(library, 0, 1)
    with pytest.raises(NoPublishedIndex, match="rankings of 0 are missing"):
        measured_recall(library, build_index(library).index)


def test_the_recall_is_kept_with_the_index_and_stands_until_the_scales_are_measured_again(library) -> None:
    add_tracks(library, *range(TRACKS))
    index, _ = publish(library)
    assert measure_quality(library, index.version).recall == library.indexes.read_quality(index.version)[RECALL] == 1.0

    library.indexes.write_quality(index.version, {RECALL: 0.9})
    add_tracks(library, TRACKS)
    grown, _ = index_and_rank(library)
    assert measure_quality(library, grown.version).recall == 0.9

    add_tracks(library, *range(TRACKS, 3 * TRACKS))
    doubled, _ = index_and_rank(library)
    assert measure_quality(library, doubled.version).recall == measured_recall(library, doubled) != 0.9
