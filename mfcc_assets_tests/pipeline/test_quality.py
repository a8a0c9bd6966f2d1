"""How good an index is by the tags of its library, and how that changed from one index to the next."""

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import artists_of, measure_quality, picture_of_history, stored_rankings
from mfcc_assets.storage.index_store import CONTAINER
from mfcc_assets_tests import naive
from mfcc_assets_tests.ranked_library import add_track, add_tracks, audio_id, cepstra, index_and_rank, publish

TRACKS = range(24)
ARTISTS = {audio_id(number): "Bach" if number % 2 else "Bird" for number in TRACKS}
ALBUMS = {audio_id(number): f"Album {number % 6}" for number in TRACKS if number % 5}


@pytest.fixture
def version(library: Library) -> str:
    """Of an index of 24 tracks by two artists, most of them on one of six albums."""
    for number in TRACKS:
        audio = audio_id(number)
        # An album's tracks sound alike: what its mastering does.
        sound = cepstra(number) + cepstra(100 + number % 6)[: len(cepstra(number)), :].mean(axis=0)
        add_track(library, number, sound, artist=ARTISTS[audio], album=ALBUMS.get(audio, ""))
    return publish(library)[0].version


def test_quality_is_that_of_the_stored_rankings(library: Library, version: str) -> None:
    ranked = stored_rankings(library, version)
    assert artists_of(library, ranked) == ARTISTS

    quality = measure_quality(library, version)

    assert quality.precision is not None
    assert quality.precision.queries == len(TRACKS)
    shares = naive.share_with_label(ranked, ARTISTS, 5)
    assert quality.precision.at_5 == pytest.approx(sum(shares) / len(shares))
    assert quality.other_albums is not None
    beyond = naive.shares_beyond_album(ranked, ARTISTS, ALBUMS, 5)
    assert quality.other_albums.queries == len(beyond) == len(ALBUMS)
    assert quality.other_albums.at_5 == pytest.approx(sum(beyond) / len(beyond))


def test_an_album_whose_tracks_sound_alike_flatters_the_precision(library: Library, version: str) -> None:
    quality = measure_quality(library, version)
    assert quality.precision is not None
    assert quality.other_albums is not None
    assert quality.other_albums.at_1 < quality.precision.at_1


def test_every_figure_is_kept_with_the_index(library: Library, version: str) -> None:
    quality = measure_quality(library, version)

    kept = library.indexes.read_quality(version)
    assert kept == quality.figures
    assert set(kept) == {
        *("queries", "at_1", "at_5", "hit_at_5"),
        *("other_albums_queries", "other_albums_at_1", "other_albums_at_5", "other_albums_hit_at_5"),
        *("skewness", "largest", "never_recommended", "recall"),
    }


def test_a_library_without_tags_has_no_precision(library: Library) -> None:
    add_tracks(library, 0, 1, 2, 3)
    quality = measure_quality(library, index_and_rank(library)[0].version)

    assert quality.precision is None
    assert quality.other_albums is None
    assert set(quality.figures) == {"skewness", "largest", "never_recommended", "recall"}


def test_the_history_is_drawn_once_and_again_when_it_grows(library: Library, version: str) -> None:
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


def test_damaged_figures_of_a_former_index_do_not_keep_the_next_from_being_measured(
    library: Library, version: str
) -> None:
    add_tracks(library, 100)
    grown = index_and_rank(library)[0].version
    measure_quality(library, grown)
    library.blobs.write(CONTAINER, f"indexes/{version}/quality.json", b"damaged")

    assert picture_of_history(library, grown).startswith(b"\x89PNG")


def pictures_of(library: Library) -> dict[str, str]:
    """The ETag of every picture kept with an index."""
    return {blob.name: blob.etag for blob in library.blobs.list(CONTAINER, "indexes/") if blob.name.endswith(".png")}
