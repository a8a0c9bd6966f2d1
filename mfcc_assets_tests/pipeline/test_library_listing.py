"""Choosing and sorting soundtracks and rejects."""

import pytest

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_listing import ORDERS, STATES, list_rejects, list_soundtracks
from mfcc_assets.storage.sql.records import Reject
from mfcc_assets_tests.ranked_library import add_track, cepstra


@pytest.fixture
def albums(library: Library) -> Library:
    """A library with an album of two discs, a track without tags, and a rejected file."""
    album = {"album": "Voyage", "album_artist": "Ada Ensemble"}
    add_track(library, 1, cepstra(1), title="Élan", artist="Ada", disc_number=2, track_number=1, **album)
    add_track(library, 2, cepstra(2), title="Tide", artist="Ben", disc_number=1, track_number=2, **album)
    add_track(library, 3, cepstra(3), title="Wind", artist="Ada & Ben", artists=("Ada", "Ben"), genre="Folk")
    add_track(library, 4, cepstra(4), title="Calm", artist="Eve", disc_number=1, track_number=1, **album)
    add_track(library, 5, cepstra(5))
    rejected = Reject(TrackId(next(iter(_ids(library, "5.flac")))), "soundtracks", "5.flac", "silent", "It is SILENT.")
    library.catalogue.record_reject(rejected, run_id="run")
    return library


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["1.flac", "2.flac", "3.flac", "4.flac", "5.flac"]),
        ({"search": "e\u0301LAN"}, ["1.flac"]),
        ({"search": "voyage tide"}, ["2.flac"]),
        ({"search": "folk"}, ["3.flac"]),
        ({"search": "5.flac"}, ["5.flac"]),
        ({"search": "tide wind"}, []),
        ({"artist": "ada"}, ["1.flac", "2.flac", "3.flac", "4.flac"]),
        ({"artist": "ben"}, ["2.flac", "3.flac"]),
        ({"artist": "ada", "album": "voy", "search": "calm"}, ["4.flac"]),
        ({"state": "rejected"}, ["5.flac"]),
        ({"state": "waiting"}, []),
        ({"album": "voyage", "order": "album"}, ["4.flac", "2.flac", "1.flac"]),
        ({"search": "flac", "order": "title"}, ["5.flac", "4.flac", "1.flac", "2.flac", "3.flac"]),
        ({"order": "file", "descending": True}, ["5.flac", "4.flac", "3.flac", "2.flac", "1.flac"]),
        ({"order": "state", "state": None}, ["1.flac", "2.flac", "3.flac", "4.flac", "5.flac"]),
    ],
)
def test_tracks_that_match_everything_are_listed_in_order(
    albums: Library, asked: dict[str, str], found: list[str]
) -> None:
    listed = [track.blob_name for track in list_soundtracks(albums, **asked)]  # type: ignore[arg-type]

    assert listed == found


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_lists_every_track_once(albums: Library, order: str) -> None:
    assert {track.state for track in list_soundtracks(albums, order=order)} <= set(STATES)
    assert len(list_soundtracks(albums, order=order)) == 5


def test_rejects_are_found_by_their_names_and_reasons(albums: Library) -> None:
    assert [reject.blob_name for reject in list_rejects(albums)] == ["5.flac"]
    assert [reject.blob_name for reject in list_rejects(albums, search="silent 5.flac")] == ["5.flac"]
    assert list_rejects(albums, search="loud") == []


def _ids(library: Library, name: str) -> list[str]:
    return [track.track_id for track in library.catalogue.soundtracks() if track.blob_name == name]
