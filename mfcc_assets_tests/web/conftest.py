"""A client of the pages of an analysed library of ten songs."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

if TYPE_CHECKING:
    from mfcc_assets.library import Library


@pytest.fixture
def pages(ten_tracks: "Library") -> FlaskClient:
    from mfcc_assets_tests.web.clients import client_of

    return client_of(ten_tracks)
