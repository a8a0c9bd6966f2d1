"""Quality of an index, its history, and the recall of its rankings."""

import pytest

from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.quality import (
    measure_quality,
    measured_recall,
    picture_of_history,
)
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets_tests import naive
from mfcc_assets_tests.damage import cut, damage, empty, flip
from mfcc_assets_tests.ranked_library import (
    add_track,
    add_tracks,
    audio_id,
    cepstra,
    compared_with_all,
    index_and_rank,
    named_lists,
    publish,
)

NUMBERS = range(24)
TRACK_COUNT = 14
QUERY = audio_id(0)
ARTISTS = {audio_id(number): "Bach" if number % 2 else "Bird" for number in NUMBERS}
OF_FILES = {"format_same", "format_same_by_chance", "bit_rate_same", "bit_rate_same_by_chance"}
ALBUMS = {audio_id(number): f"Album {number % 6}" for number in NUMBERS if number % 5}


@pytest.fixture
def version(library: Library) -> str:
    """The version of an index of 24 tracks by two artists, most of them on one of six albums."""
    for number in NUMBERS:
        audio = audio_id(number)
        # Mastering makes the tracks of an album sound alike.
        sound = cepstra(number) + cepstra(100 + number % 6)[: len(cepstra(number)), :].mean(axis=0)
        add_track(library, number, sound, artist=ARTISTS[audio], album=ALBUMS.get(audio, ""))
    return publish(library)[0].version


def test_quality_is_measured_on_the_stored_rankings(library: Library, version: str) -> None:
    ranked = named_lists(library, version, recordings_of(library, library.indexes.read(version)))
    quality = measure_quality(library, version)

    assert quality.precision is not None
    assert quality.precision.queries == len(NUMBERS)
    shares = naive.share_with_label(ranked, ARTISTS, 5)
    assert quality.precision.at_5 == pytest.approx(sum(shares) / len(shares))
    assert quality.other_albums is not None
    beyond = naive.shares_beyond_album(ranked, ARTISTS, ALBUMS, 5)
    assert quality.other_albums.queries == len(beyond) == len(ALBUMS)
    assert quality.other_albums.at_5 == pytest.approx(sum(beyond) / len(beyond))


def test_albums_whose_tracks_sound_alike_raise_the_precision(library: Library, version: str) -> None:
    quality = measure_quality(library, version)
    assert quality.precision is not None
    assert quality.other_albums is not None
    assert quality.other_albums.at_1 < quality.precision.at_1


def test_every_figure_is_stored_with_the_index(library: Library, version: str) -> None:
    quality = measure_quality(library, version)

    kept = library.indexes.read_quality(version)
    assert kept == quality.figures
    assert set(kept) == {
        *("queries", "at_1", "at_5", "hit_at_5"),
        *("other_albums_queries", "other_albums_at_1", "other_albums_at_5", "other_albums_hit_at_5"),
        *("skewness", "largest", "never_recommended", "recall"),
        *OF_FILES,
    }


def test_a_library_without_tags_has_no_precision(library: Library) -> None:
    add_tracks(library, 0, 1, 2, 3)
    quality = measure_quality(library, index_and_rank(library)[0].version)

    assert quality.precision is None
    assert quality.other_albums is None
    assert set(quality.figures) == {"skewness", "largest", "never_recommended", "recall", *OF_FILES}


def test_the_history_is_drawn_once_and_drawn_again_when_it_grows(library: Library, version: str) -> None:
    measure_quality(library, version)
    picture = picture_of_history(library, version)
    assert picture.startswith(b"\x89PNG")
    attached = pictures_of(library)

    assert picture_of_history(library, version) == picture
    assert pictures_of(library) == attached

    add_tracks(library, 100)
    grown = index_and_rank(library)[0].version
    measure_quality(library, grown)
    assert picture_of_history(library, grown) != picture
    assert len(pictures_of(library)) == 2


def test_a_damaged_picture_of_the_history_is_drawn_again(library: Library, version: str) -> None:
    measure_quality(library, version)
    picture = picture_of_history(library, version)
    (name,) = pictures_of(library)
    for change in (flip, cut, empty):
        damage(library, name, change)
        assert picture_of_history(library, version) == picture
    former = pictures_of(library)
    assert picture_of_history(library, version) == picture
    assert pictures_of(library) == former, "it is drawn once"


def test_damaged_figures_of_a_former_index_do_not_prevent_the_picture(library: Library, version: str) -> None:
    add_tracks(library, 100)
    grown = index_and_rank(library)[0].version
    measure_quality(library, grown)
    library.blobs.write(CEPSTRA, f"indexes/{version}/quality.json", b"damaged")

    assert picture_of_history(library, grown).startswith(b"\x89PNG")


def pictures_of(library: Library) -> dict[str, str]:
    """Return the ETag of every stored picture, by name."""
    return {blob.name: blob.etag for blob in library.blobs.list(CEPSTRA, "indexes/") if blob.name.endswith(".png")}


# --- Recall


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    """The index of fourteen ranked tracks."""
    add_tracks(library, *range(TRACK_COUNT))
    return index_and_rank(library)[0]


@pytest.fixture
def truth(library: Library, index: LibraryIndex) -> RankedList:
    """Return all other tracks of the library with their distances to the query, nearest first."""
    track_features = library.features.read_track_features(QUERY, index.parameters.features)
    return compared_with_all(library, index, QUERY, track_features)


def replace_a_ranking(library, index, audio: AudioId, change) -> None:
    """Rewrite the stored ranking of one audio id."""
    for shard in library.shards:
        rankings = library.rankings.read("rankings", index.version, shard).by_query()
        if audio in rankings:
            rankings[audio] = change(rankings[audio])
            library.rankings.write("rankings", index.version, shard, RankedLists.of(rankings))


def test_the_recall_is_one_if_the_rankings_contain_all_of_the_nearest(library, index) -> None:
    assert measured_recall(library, index) == 1.0


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_the_recall_falls_with_every_track_that_a_ranking_misses(library, index, truth, lost: int) -> None:
    replace_a_ranking(library, index, QUERY, lambda _: truth[lost : EVALUATED_COUNT + lost])
    assert measured_recall(library, index) == pytest.approx(1 - lost / (EVALUATED_COUNT * TRACK_COUNT))


def test_the_recall_falls_if_a_ranking_is_too_short(library, index) -> None:
    replace_a_ranking(library, index, QUERY, lambda found: found[: EVALUATED_COUNT - 1])
    assert measured_recall(library, index) == pytest.approx(1 - 1 / (EVALUATED_COUNT * TRACK_COUNT))


@pytest.mark.parametrize("tracks", [0, 1, 3])
def test_the_recall_of_a_very_small_library_is_one(library, tracks: int) -> None:
    add_tracks(library, *range(tracks))
    assert measured_recall(library, index_and_rank(library)[0]) == 1.0


def test_without_rankings_there_is_no_recall(library) -> None:
    add_tracks(library, 0, 1)
    with pytest.raises(NoPublishedIndex, match="rankings of 0 are missing"):
        measured_recall(library, build_index(library).index)


@pytest.mark.usefixtures("large_library")
def test_the_recall_is_stored_and_measured_again_only_after_a_new_calibration(library) -> None:
    add_tracks(library, *range(TRACK_COUNT))
    index, _ = publish(library)
    assert measure_quality(library, index.version).recall == library.indexes.read_quality(index.version)[RECALL] == 1.0

    library.indexes.write_quality(index.version, {RECALL: 0.9})
    add_tracks(library, TRACK_COUNT)
    grown, _ = index_and_rank(library)
    assert measure_quality(library, grown.version).recall == 0.9

    add_tracks(library, *range(TRACK_COUNT, 3 * TRACK_COUNT))
    doubled, _ = index_and_rank(library)
    assert measure_quality(library, doubled.version).recall == measured_recall(library, doubled) != 0.9
