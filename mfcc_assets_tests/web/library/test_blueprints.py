"""Tests of the addresses of the library's pages."""

from flask import Flask

from mfcc_assets.web.library.blueprints import BLUEPRINTS


def test_every_page_only_reads() -> None:
    app = Flask(__name__)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS"}
