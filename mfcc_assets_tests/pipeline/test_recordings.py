"""Recordings of a library: copies take no places from other tracks."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import find_query_candidates, search_for
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.playlists import playlist_from
from mfcc_assets.pipeline.quality import measure_quality
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.settings import Settings
from mfcc_assets_tests.ranked_library import (
    add_track,
    add_tracks,
    audio_id,
    cepstra,
    index_and_rank,
    named_lists,
    publish,
    remove_track,
    stored_pairs,
)

TRACKS = 24
COPIES = range(100, 130)
COPIED = 0


def add_copies(library: Library, *copies: int) -> None:
    """Add other encodings of one track: a little noisier, each by other noise."""
    sound = cepstra(COPIED)
    for copy in copies:
        noise = 0.1 * np.random.default_rng(copy).standard_normal(sound.shape)
        add_track(library, copy, (sound + noise).astype(np.float32), artist="Bach")


@pytest.fixture
def copied(library: Library) -> Library:
    """A library of 24 tracks, and thirty other encodings of one of them."""
    add_tracks(library, *range(TRACKS))
    add_copies(library, *COPIES)
    publish(library)
    return library


def recording_of(audio: AudioId) -> int:
    number = int(audio, 16)
    return COPIED if number in COPIES else number


def lists_of(library: Library) -> dict[int, list[int]]:
    """Return the numbers of the recommended recordings of each track."""
    list(recommend_soundtracks(library, library.indexes.published(), library.shards, run_id="run"))
    numbers = {track_id(f"{number}.flac"): number for number in (*range(TRACKS), *COPIES)}
    return {
        number: [recording_of(audio_id(numbers[row.track_id])) for row in library.recommendations.recommended(track)]
        for track, number in numbers.items()
    }


def assert_distinct_and_full(library: Library, index: LibraryIndex) -> None:
    rankings = stored_pairs(library, index, "rankings")
    assert len(rankings) == len(index.tracks)
    for query, ranked in rankings.items():
        recordings = [recording_of(audio) for audio, _ in ranked]
        assert len(set(recordings) - {recording_of(query)}) == len(recordings) == index.parameters.ranked_count


def test_every_list_has_its_length_and_the_tracks_of_a_library_without_copies(copied: Library, tmp_path: Path) -> None:
    index = copied.indexes.published()
    assert recordings_of(copied, index).count == TRACKS
    assert_distinct_and_full(copied, index)
    lists = lists_of(copied)
    with Library(Settings(home=tmp_path / "without copies")) as single:
        add_tracks(single, *range(TRACKS))
        publish(single)
        expected = lists_of(single)
    # The copies are in the sample that distances are corrected by, and shared neighbours of so few tracks change at
    # once, so many tracks change their places.
    shared = [len({*lists[number]} & {*expected[number]}) for number in range(TRACKS)]
    assert all(len(found) == len({*found} - {recording_of(audio_id(number))}) == 5 for number, found in lists.items())
    assert sum(shared) > 0.45 * 5 * TRACKS


@pytest.mark.parametrize("added", [[101], [101, 129]])
def test_a_copy_that_is_added_later_does_not_represent_the_recording(library: Library, added: list[int]) -> None:
    add_tracks(library, *range(1, TRACKS))
    add_copies(library, 110)
    publish(library)
    add_copies(library, *added)
    publish(library)
    recordings = recordings_of(library, library.indexes.published())
    assert recordings.of([audio_id(number) for number in (*added, 110)]) == [audio_id(110)] * (len(added) + 1)
    remove_track(library, 110)
    publish(library)
    recordings = recordings_of(library, library.indexes.published())
    assert recordings.of([audio_id(number) for number in added]) == [audio_id(added[0])] * len(added)


def test_the_copy_whose_tags_tell_most_represents_a_new_recording(library: Library) -> None:
    add_tracks(library, *range(1, 9))
    for number, artist, album in (
        (100, "Unknown Artist", ""),
        (101, "Bach", ""),
        (102, "Bach", "Organ"),
        (103, "", ""),
    ):
        add_track(library, number, cepstra(COPIED), artist=artist, album=album)
    publish(library)
    recordings = recordings_of(library, library.indexes.published())
    assert recordings.of([audio_id(number) for number in range(100, 104)]) == [audio_id(102)] * 4
    assert recordings.of([audio_id(1)]) == [audio_id(1)]


@pytest.mark.parametrize("added", [[100], [101, 102, 103, 104]])
def test_copies_that_come_and_go_leave_every_list_full(library: Library, added: list[int]) -> None:
    add_tracks(library, *range(TRACKS))
    add_copies(library, *range(105, 118))
    publish(library)
    add_copies(library, *added)
    index, _ = publish(library)
    assert_distinct_and_full(library, index)
    assert recordings_of(library, index).count == TRACKS
    for number in (COPIED, *added):
        remove_track(library, number)
    index, _ = index_and_rank(library)
    assert_distinct_and_full(library, index)
    assert recordings_of(library, index).count == TRACKS


def test_copies_take_no_places_among_candidates_and_in_playlists(copied: Library) -> None:
    index = copied.indexes.published()
    for query in (audio_id(1), audio_id(COPIED), audio_id(COPIES[0])):
        search = search_for(copied, index, query)
        found = find_query_candidates(index, search, recordings_of(copied, index), without={query}, count=20)
        recordings = [recording_of(audio) for audio, _ in found]
        assert len(recordings) == len({*recordings} - {recording_of(query)}) >= 20
    seeds = [track for track in copied.catalogue.soundtracks() if track.blob_name in {"1.flac", "100.flac"}]
    playlist = playlist_from(copied, OpenedIndex(copied, copied.indexes.published()), seeds, count=TRACKS - 2)
    assert len(playlist.soundtracks) == TRACKS - 2


def test_another_encoding_is_no_success(copied: Library) -> None:
    index = copied.indexes.published()
    ranked = named_lists(copied, index.version, recordings_of(copied, index))
    assert len(ranked) == TRACKS
    # All tracks with this artist are one recording, so nobody can recommend another one.
    quality = measure_quality(copied, index.version)
    assert quality.precision is None
    assert quality.recall == pytest.approx(1.0, abs=0.1)
    assert quality.hubness.never_recommended < 0.2
