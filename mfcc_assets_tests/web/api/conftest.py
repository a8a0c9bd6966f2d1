"""Keys, and a client of the addresses for programs."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets_tests.web.clients import client_of

Headers = Mapping[str, str]


def with_key(library: Library, name: str = "Zoë", *, is_operator: bool = False) -> Headers:
    """Return the headers of a request with a new key."""
    return {"Authorization": f"Bearer {make_key(library, name, is_operator=is_operator)}"}


@pytest.fixture
def programs(ten_tracks: Library) -> FlaskClient:
    """A client of an analysed library of ten songs."""
    return client_of(ten_tracks)


@pytest.fixture
def listener(ten_tracks: Library) -> Headers:
    return with_key(ten_tracks)


@pytest.fixture
def operator(ten_tracks: Library) -> Headers:
    return with_key(ten_tracks, "boss", is_operator=True)
