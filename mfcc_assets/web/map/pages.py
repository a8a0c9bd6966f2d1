"""The page of the map, and the data that it draws."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, render_template, request

from mfcc_assets.errors import FeaturesMissing, NoPublishedIndex, PlaylistImpossible
from mfcc_assets.ids import AudioId, UploadId, is_upload_id
from mfcc_assets.pipeline.library_report import picture_of_map
from mfcc_assets.pipeline.map_points import place_audio_on_map
from mfcc_assets.pipeline.playlists import path_between
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.sql.browsing import TrackFilter
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable
from mfcc_assets.web.library.found import text_asked, track_or_404
from mfcc_assets.web.map.compression import compressed
from mfcc_assets.web.map.drawn_map import NAMES_AT_ONCE, DrawnMap, KeptMap
from mfcc_assets.web.numbers import whole_number
from mfcc_assets.web.pictures import sent_png
from mfcc_assets.web.site import Site, site

blueprint = Blueprint("map", __name__)

_EXTENSION = "mfcc map"
_PATH_TRACKS = 10
_FOUND_AT_ONCE = 12
_KEPT_SECONDS = 24 * 3600


def add_map(app: Flask, opened: Site) -> None:
    """Add the map to an app."""
    app.extensions[_EXTENSION] = KeptMap(opened.library, opened.published)
    app.register_blueprint(blueprint)


@dataclass(frozen=True)
class _Shown:
    """What the address of the map asks to show.

    Attributes
    ----------
    centre
        Row of the track in the middle; None for the whole map.
    path
        Rows of a path, from its first track to its last.
    path_tracks
        The tracks of the path.
    upload
        Coordinates and name of an upload.
    note
        Why something that was asked for is not shown.
    """

    centre: int | None = None
    path: tuple[int, ...] = ()
    path_tracks: tuple[Soundtrack, ...] = ()
    upload: dict[str, Any] | None = None
    note: str = ""


@blueprint.get("/map")
def page() -> str:
    """Show the map: the whole of it, or around a track, an upload or a path."""
    try:
        drawn = _drawn()
    except NoPublishedIndex:
        return render_template("map.html", drawn=None, shown=_Shown())
    return render_template("map.html", drawn=drawn, shown=_shown(drawn))


@blueprint.get("/map/points")
def points() -> Response:
    """Send the coordinates of all points."""
    drawn = _drawn()
    return _tagged(Response(drawn.points_as_bytes, content_type="application/octet-stream"), drawn)


@blueprint.get("/map/tracks")
def tracks() -> Response:
    """Send the number of tracks and the groups that colour them."""
    drawn = _drawn()
    groups = {kind: asdict(found) for kind, found in drawn.groups.items()}
    answer = jsonify(version=drawn.version, count=len(drawn.tracks), names_at_once=NAMES_AT_ONCE, groups=groups)
    return _tagged(answer, drawn)


@blueprint.get("/map/names/<version>/<chunk>")
def names(version: str, chunk: str) -> Response:
    """Send the names of some tracks that lie near each other. They are those of one version of the map."""
    drawn, number = _drawn(), whole_number(chunk)
    if version != drawn.version or number is None or not 0 <= number * NAMES_AT_ONCE < len(drawn.tracks):
        abort(HTTPStatus.NOT_FOUND)
    response = jsonify(drawn.names(number))
    # Another map has another address.
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    return compressed(response)


@blueprint.get("/map/search")
def search() -> Response:
    """Find tracks by words of their names."""
    drawn, words = _drawn(), text_asked("search")
    found = site().library.browsing.tracks_page(TrackFilter(search=words), size=_FOUND_AT_ONCE).items if words else []
    return jsonify(
        tracks=[
            {
                "id": track.track_id,
                "title": printable(track.display_title),
                "artist": printable(track.artist),
                "row": _row_of(drawn, track),
            }
            for track in found
        ]
    )


@blueprint.get("/map/picture.png")
def picture() -> Response:
    """Send the map as a picture, for browsers without scripts."""
    library = site().library
    index, version = site().published.opened().index, _drawn().version

    def draw() -> bytes:
        with site().heavy.turn():
            return picture_of_map(library, index, library.catalogue.soundtracks())

    return sent_png(site().pictures.get_or_make(("map", index.version, version), draw), "private, no-cache")


def _drawn() -> DrawnMap:
    kept: KeptMap = current_app.extensions[_EXTENSION]
    return kept.current()


def _tagged(response: Response, drawn: DrawnMap) -> Response:
    """Return data of the map with its version as the tag, by which a browser asks whether it has changed."""
    response.set_etag(drawn.version)
    response.headers["Cache-Control"] = "private, no-cache"
    compressed(response).make_conditional(request)
    return response


def _shown(drawn: DrawnMap) -> _Shown:
    asked = request.args
    if asked.get("from") and asked.get("to"):
        return _path(drawn, asked["from"], asked["to"])
    if asked.get("track"):
        track = track_or_404(asked["track"])
        row = _row_of(drawn, track)
        return _Shown(centre=row, note="" if row is not None else "track")
    return _upload(asked["upload"]) if asked.get("upload") else _Shown()


def _path(drawn: DrawnMap, first: str, last: str) -> _Shown:
    ends = track_or_404(first), track_or_404(last)
    try:
        opened = site().published.opened()
        with site().heavy.turn():
            path = path_between(site().library, opened, *ends, steps=_PATH_TRACKS).soundtracks
    except (FeaturesMissing, PlaylistImpossible):
        return _Shown(note="path")
    rows = [_row_of(drawn, track) for track in path]
    return _Shown(path=tuple(row for row in rows if row is not None), path_tracks=tuple(path))


def _upload(upload: str) -> _Shown:
    if not is_upload_id(upload):
        abort(HTTPStatus.NOT_FOUND)
    library = site().library
    body = upload_state(library, UploadId(upload)).body
    audio_id = body.get("audio_id")
    if audio_id is None:
        return _Shown(note="upload")
    try:
        x, y = place_audio_on_map(library, site().published.opened().index, AudioId(audio_id))
    except FeaturesMissing:
        return _Shown(note="upload")
    name = printable(body.get("file_name", ""))
    return _Shown(upload={"x": x, "y": y, "name": name, "page": f"/uploads/{upload}"})


def _row_of(drawn: DrawnMap, track: Soundtrack) -> int | None:
    """Return the row of a track; None if it is not on the map. Of tracks with the same audio, one is on it."""
    if track.track_id in drawn.rows:
        return drawn.rows[track.track_id]
    same = site().library.catalogue.tracks_of_audio([track.audio_id]) if track.audio_id else {}
    return next((drawn.rows.get(other.track_id) for other in same.values()), None)
