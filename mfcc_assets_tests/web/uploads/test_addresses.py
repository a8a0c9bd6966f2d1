"""Tests of the parts of addresses that name an upload."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library


@pytest.mark.parametrize("invented", ["0f" * 16, "0F" * 16, "0f" * 15, "..", "<script>", "0f" * 17])
@pytest.mark.parametrize(
    "part", ["", "/state", "/events", "/answer", "/audio", "/pictures/spectrum.png", "/export.xspf"]
)
def test_an_invented_id_leads_to_nothing_and_writes_nothing(
    ten_tracks: Library, pages: FlaskClient, invented: str, part: str
) -> None:
    assert pages.get(f"/uploads/{invented}{part}").status_code == 404

    assert list(ten_tracks.documents.find()) == []
    assert list(ten_tracks.blobs.list("uploads")) == []
