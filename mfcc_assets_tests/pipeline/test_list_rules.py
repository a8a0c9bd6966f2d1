"""The rules of the lists that a library recommends."""

import logging
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId, TrackId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_rules import choose_list, selection_of
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.playlists.selection import Selection
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Credit, Recommendation
from mfcc_assets_tests.pipeline.encodings import encoded_again
from mfcc_assets_tests.pipeline.mislabelled_files import mislabel_cepstra
from mfcc_assets_tests.ranked_library import add_track, add_tracks, analysed, audio_id, cepstra, publish

SAME_RECORDING = {50: 0, 51: 1}
"""Tracks 50 and 51 are second encodings of tracks 0 and 1."""


@pytest.fixture
def twice(library: Library) -> Library:
    """Ten tracks, and second encodings of two of them."""
    add_tracks(library, *range(10))
    for copy, number in SAME_RECORDING.items():
        add_track(library, copy, encoded_again(cepstra(number)))
    publish(library)
    return library


def recommended(library: Library) -> dict[int, list[int]]:
    """Return the numbers of the recommended tracks of each track after a run."""
    names = {track_id(f"{number}.flac"): number for number in (*range(12), *SAME_RECORDING)}
    list(recommend_soundtracks(library, library.indexes.published(), library.shards, run_id="run"))
    return {
        number: [names[row.track_id] for row in library.recommendations.recommended(track)]
        for track, number in names.items()
        if library.recommendations.recommended(track)
    }


def test_a_list_is_ranked_and_skips_tracks_that_have_left_the_library() -> None:
    credited = {AudioId(name): Credit(TrackId(f"track {name}"), artist="", album="") for name in "abd"}
    selection = Selection(credited, is_same_recording=str.__eq__, cap=2)

    ranked = [(AudioId(name), distance) for name, distance in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.4))]
    chosen = choose_list(ranked, selection, count=2, without={AudioId("a")})

    assert chosen == [Recommendation(1, TrackId("track b"), 0.2), Recommendation(2, TrackId("track d"), 0.4)]


def test_no_list_has_a_recording_twice_or_the_recording_of_its_query(twice: Library) -> None:
    lists = recommended(twice)

    assert len(lists) == 12
    for query, tracks in lists.items():
        recordings = [SAME_RECORDING.get(track, track) for track in tracks]
        assert len(tracks) == 5
        assert len(set(recordings)) == 5
        assert SAME_RECORDING.get(query, query) not in recordings


@pytest.mark.parametrize(
    "credits_of_eight",
    [
        [{"artist": f"Prolific feat. Guest {number}"} for number in range(8)],
        [{"artist": f"PROLIFIC, Guest {number}", "artists": ("PROLIFIC", f"Guest {number}")} for number in range(8)],
        [{"album_artist": "Prolific"} for _ in range(8)],
        [{"artist": f"Artist {number}", "album": "Box", "album_artist": "Somebody"} for number in range(8)],
    ],
    ids=["guests", "lists of artists", "album artists", "one album"],
)
def test_changed_credits_change_the_lists(library: Library, credits_of_eight: list[dict[str, Any]]) -> None:
    add_tracks(library, *range(11))
    publish(library)
    before = recommended(library)
    for number, credit in enumerate(credits_of_eight):
        add_track(library, number, cepstra(number), **credit)

    after = recommended(library)

    assert after != before
    for query, tracks in after.items():
        others = 3 - (query >= 8)
        assert sum(number >= 8 for number in tracks) == others
        assert all(number < 8 for number in tracks[2 + others :]), "tracks beyond the cap come last"


def test_albums_of_the_same_common_title_by_several_artists_are_not_capped(library: Library) -> None:
    add_tracks(library, *range(11))
    publish(library)
    before = recommended(library)
    for number in range(11):
        add_track(library, number, cepstra(number), artist=f"Artist {number}", album="Greatest Hits")
    assert recommended(library) == before


def test_the_lists_of_a_library_obey_the_cap_and_are_as_long_as_without_it(library: Library) -> None:
    for number in range(11):
        add_track(library, number, cepstra(number), artist="Prolific" if number < 8 else f"Artist {number}")
    publish(library)

    capped = recommended(library)
    with Library(Settings(home=library.settings.home, per_artist=0)) as without:
        uncapped = recommended(without)

    for query, tracks in capped.items():
        assert len(tracks) == len(uncapped[query]) == 5
        others = 3 - (query >= 8)
        beyond_cap = [number < 8 for number in tracks][-(3 - others) or 5 :]
        assert beyond_cap == [True] * (3 - others), "tracks beyond the cap come last"
        assert sum(number >= 8 for number in tracks) == others
    assert capped != uncapped


def half_a_frame_later(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the same recording with frames of the fingerprint that begin half a frame later, at 0.25 s."""
    return sound[25:]


def test_cepstra_decide_if_the_fingerprints_of_two_encodings_do_not(library: Library) -> None:
    sounds = {1: cepstra(1), 50: half_a_frame_later(cepstra(1))}
    parameters = library.feature_parameters.cepstra
    for number, sound in sounds.items():
        add_track(library, number, sound)
        library.features.write_analysis(audio_id(number), analysed(sound), parameters)
    index = publish(library)[0]

    selection = selection_of(library, index, library.catalogue.credits())
    assert selection.is_same_recording(audio_id(1), audio_id(50))
    assert not selection.is_same_recording(audio_id(1), audio_id(99)), "this id is not in the index"


def test_a_stored_file_of_another_version_does_not_fail_the_list(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    sounds = {1: cepstra(1), 50: half_a_frame_later(cepstra(1))}
    parameters = library.feature_parameters.cepstra
    for number, sound in sounds.items():
        add_track(library, number, sound)
        library.features.write_analysis(audio_id(number), analysed(sound), parameters)
    mislabel_cepstra(library, audio_id(50), sounds[50])
    index = publish(library)[0]

    selection = selection_of(library, index, library.catalogue.credits())
    with caplog.at_level(logging.WARNING):
        chosen = choose_list([(audio_id(50), 0.1)], selection, count=5, without={audio_id(1)})

    assert chosen == [Recommendation(1, track_id("50.flac"), 0.1)], "the two tracks could not be compared"
    assert f"{audio_id(50)}.parquet: the stored features are damaged" in caplog.text
