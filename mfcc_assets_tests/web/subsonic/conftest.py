"""Players of an analysed library of ten songs, and of a library with artists and albums."""

import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.library import Library
from mfcc_assets_tests.web.library.conftest import OVERRIDE, SCRIPT, add_rows
from mfcc_assets_tests.web.subsonic.players import Player


@pytest.fixture
def player(ten_tracks: Library) -> Player:
    return Player(ten_tracks)


@pytest.fixture
def shelves(library: Library) -> Player:
    """Make a player of a library with artists, albums, and names that try to break answers."""
    add_rows(
        library,
        ("air/1.mp3", Tags(title="One", artist="Zoë", album="Air", genre="Jazz, Pop", year=1999, track_number=1)),
        ("air/2.mp3", Tags(title="Two", artist="Zoë feat. Bo", album="Air", genre="Jazz", year=1999, track_number=2)),
        ("mix/1.flac", Tags(title="Three", artist="Bo", album="Mix", year=2005)),
        ("mix/2.flac", Tags(title="Four", artist="The Cats", album="Mix", year=2005)),
        ("loose.ogg", Tags(artist="Bo")),
        ("x.mp3", Tags(title=f"\x01{SCRIPT}", artist=OVERRIDE, album='"&<>', genre=SCRIPT)),
    )
    return Player(library)
