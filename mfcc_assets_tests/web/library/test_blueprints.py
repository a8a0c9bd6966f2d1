"""Tests of the addresses of the library's pages."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mfcc_assets.ids import TrackId
from mfcc_assets.web.heavy_work import HeavyWork
from mfcc_assets.web.library.blueprints import BLUEPRINTS


def test_every_page_only_reads() -> None:
    app = Flask(__name__)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    "address",
    [
        "/tracks/{0}?count=9",
        "/tracks/{0}/why/{1}",
        "/tracks/{0}/why/{1}/path.png",
        "/tracks/{0}/radio",
        "/playlist?seed={0}",
        "/playlist.m3u8?seed={0}",
        "/path?from={0}&to={1}",
        "/path.m3u8?from={0}&to={1}",
    ],
)
def test_a_page_that_compares_tracks_is_asked_for_later_if_enough_of_them_are_made(
    pages: FlaskClient, songs: list[TrackId], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, no_place = address.format(*songs), HeavyWork(at_once=0, most_waiting=0).turn
    with monkeypatch.context() as busy:
        busy.setattr(HeavyWork, "turn", lambda _: no_place())
        refused = pages.get(asked)

    assert (refused.status_code, pages.get(asked).status_code) == (503, 200)
    assert refused.headers["Retry-After"]
