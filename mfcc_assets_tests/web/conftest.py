"""A client of the pages of an analysed library of ten songs, and a file that a listener sends."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

if TYPE_CHECKING:
    from mfcc_assets.library import Library


@pytest.fixture
def pages(ten_tracks: "Library") -> FlaskClient:
    from mfcc_assets_tests.web.clients import client_of

    return client_of(ten_tracks)


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the content of a file with music that is not in the library of ten songs."""
    from mfcc_assets_tests.audio_samples import write_music

    path = write_music(tmp_path_factory.mktemp("sent") / "sent.flac", 3.0, seed=77)
    return path.read_bytes()
