"""Track ids of the ten songs, and a library with rows that try to break pages."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import TrackId, track_id
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Observed
from mfcc_assets_tests.web.clients import client_of

SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "safe\u202egnp.exe"


def add_rows(library: Library, *rows: tuple[str, Tags]) -> list[TrackId]:
    """Add rows of soundtracks that have not been analysed, and return their track ids."""
    observed = [Observed(name, "etag", 1, f"{track_id(name)}{1:016x}", tags, "") for name, tags in rows]
    library.catalogue.record_observed(observed, [], shard_digits=library.settings.shard_digits, run_id="run")
    return [track_id(name) for name, _ in rows]


@pytest.fixture
def songs(ten_tracks: Library) -> list[TrackId]:
    return [track.track_id for track in sorted(ten_tracks.catalogue.soundtracks(), key=lambda track: track.title)]


@pytest.fixture
def hostile(library: Library) -> tuple[FlaskClient, list[TrackId]]:
    """Make pages of a library without an index whose tracks have hostile names."""
    ids = add_rows(
        library,
        ("a.mp3", Tags(title=SCRIPT, artist="\"'><img src=x onerror=alert(1)>", album=SCRIPT, genre=SCRIPT)),
        ("b.mp3", Tags(title=OVERRIDE, artist=OVERRIDE)),
    )
    return client_of(library), ids
