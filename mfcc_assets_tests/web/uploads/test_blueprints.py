"""Tests of what an app gets of this room."""

from flask import Flask

from mfcc_assets.library import Library
from mfcc_assets.web.site import Site
from mfcc_assets.web.uploads.blueprints import add_uploads


def test_an_app_gets_every_address_of_uploads(library: Library) -> None:
    app = Flask(__name__)
    add_uploads(app, Site(library))

    addresses = {str(rule) for rule in app.url_map.iter_rules()}
    parts = ("", "/state", "/events", "/answer", "/audio", "/share", "/share/revoke", "/delete", "/why/<track_id>")
    assert {"/", "/uploads", "/shared/<token>"} <= addresses
    assert {f"/uploads/<upload:upload>{part}" for part in parts} <= addresses
