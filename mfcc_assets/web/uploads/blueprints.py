"""Everything of this room that an app needs."""

from flask import Flask

from mfcc_assets.web.site import Site
from mfcc_assets.web.uploads import events, explaining, exporting, pages, receiving, shared_tracks, sharing
from mfcc_assets.web.uploads.addresses import UploadConverter
from mfcc_assets.web.uploads.room import Room, open_room, room_of


def add_uploads(app: Flask, opened: Site) -> None:
    """Add the addresses of uploads to an app."""
    app.url_map.converters["upload"] = UploadConverter
    open_room(app, Room(opened.library, opened.published))
    for each in (pages, receiving, events, explaining, sharing, shared_tracks, exporting):
        app.register_blueprint(each.blueprint)


def prepare_uploads(app: Flask) -> None:
    """Let a server prepare what the first upload needs, while it serves already."""
    room_of(app).previews.prepare()
