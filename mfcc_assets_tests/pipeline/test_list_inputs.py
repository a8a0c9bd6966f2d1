"""Lists are written again if anything changed that they are made from, and only then."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.list_rules import choose_list, selection_of
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.search import window
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Recommendation
from mfcc_assets_tests.ranked_library import (
    add_track,
    add_tracks,
    audio_id,
    cepstra,
    publish,
    remove_track,
    stored_pairs,
)

TRACKS = 30


@pytest.fixture(autouse=True)
def lists_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank a few of the tracks of a library that keeps its calibration, as in a large one."""
    monkeypatch.setattr("mfcc_assets.pipeline.index.SMALL_LIBRARY", 0)
    monkeypatch.setattr("mfcc_assets.pipeline.index.REORDERED", 3)
    monkeypatch.setattr("mfcc_assets.pipeline.index.EVALUATED_COUNT", 2)
    monkeypatch.setattr(window, "candidates_to_fetch", lambda tracks, _: tracks // 2)


@pytest.fixture
def recommended(tmp_path: Path):
    with Library(Settings(home=tmp_path, recommendations=2, per_artist=1)) as library:
        add_tracks(library, *range(TRACKS))
        update(library)
        yield library


def update(library: Library) -> int:
    """Publish the index of the library, write its recommendations, and return the number of written rows."""
    publish(library)
    index = library.indexes.published()
    return sum(report.written for _, report in recommend_soundtracks(library, index, library.shards, run_id="run"))


def assert_right(library: Library) -> None:
    """Compare the rows of all soundtracks with lists that are made from nothing."""
    index = library.indexes.published()
    selection = selection_of(library, index, library.catalogue.credits())
    rankings, order = stored_pairs(library, index, "rankings"), list_order_of(library, index)
    for queries in library.catalogue.audio_of_soundtracks().values():
        for track, audio in queries.items():
            assert audio is not None
            in_order = order(rankings[audio], {audio})
            wanted = choose_list(in_order, selection, count=library.settings.recommendations, without={audio})
            rows = library.recommendations.recommended(track)
            assert [Recommendation(row.rank, row.track_id, row.distance) for row in rows] == wanted
    origins = library.recommendations.origins_of_shards()
    assert {version for version, _ in origins.values()} == {index.version}
    assert set(origins) == set(library.shards)


def test_nothing_is_written_if_nothing_has_changed(recommended: Library) -> None:
    assert update(recommended) == 0
    assert_right(recommended)


def test_a_track_that_comes_changes_few_lists(recommended: Library) -> None:
    add_tracks(recommended, TRACKS)
    assert 2 <= update(recommended) < TRACKS
    assert_right(recommended)


def test_a_track_that_goes_leaves_no_gap(recommended: Library) -> None:
    remove_track(recommended, 3)
    update(recommended)
    assert_right(recommended)


def test_other_tags_of_one_track_change_the_lists_that_have_it(recommended: Library) -> None:
    """Two tracks of one artist are not in one list."""
    first = recommended.recommendations.recommended(track_id("0.flac"))
    for row in first:
        number = int(row.blob_name.removesuffix(".flac"))
        add_track(recommended, number, cepstra(number), artist="Bach")
    assert update(recommended) > 0
    assert_right(recommended)
    assert {row.track_id for row in first} != {
        row.track_id for row in recommended.recommendations.recommended(track_id("0.flac"))
    }


def test_other_audio_of_a_track_changes_its_list(recommended: Library) -> None:
    add_tracks(recommended, TRACKS)
    update(recommended)
    sound = cepstra(77)
    add_track(recommended, TRACKS, np.concatenate([sound, sound]))
    update(recommended)
    assert_right(recommended)


def test_rows_that_are_lost_are_written_again(recommended: Library) -> None:
    track = track_id("5.flac")
    made = {"method": recommended.settings.ranking, "index_version": "x", "run_id": "somebody"}
    recommended.recommendations.replace_recommendations(track, [], **made)
    add_tracks(recommended, TRACKS)
    update(recommended)
    assert_right(recommended)


def test_other_settings_make_all_lists_again(recommended: Library) -> None:
    with Library(Settings(home=recommended.settings.home, recommendations=1, per_artist=1)) as other:
        update(other)
        assert_right(other)
        assert len(other.recommendations.recommended(track_id("0.flac"))) == 1


def test_one_more_track_writes_as_much_in_a_library_that_is_twice_as_large(tmp_path: Path) -> None:
    written = {}
    for tracks in (40, 80):
        with Library(Settings(home=tmp_path / str(tracks), recommendations=2)) as library:
            add_tracks(library, *range(tracks))
            update(library)
            before = {(blob.name, blob.etag) for blob in library.blobs.list("cepstra", "")}
            add_tracks(library, 100)
            features = {(blob.name, blob.etag) for blob in library.blobs.list("cepstra", "")} - before
            rows = update(library)
            new = [
                blob for blob in library.blobs.list("cepstra", "") if (blob.name, blob.etag) not in before | features
            ]
            written[tracks] = sum(blob.size for blob in new)
            assert rows < tracks
            assert audio_id(100) in library.indexes.published().tracks
    assert written[80] < 1.25 * written[40], written
