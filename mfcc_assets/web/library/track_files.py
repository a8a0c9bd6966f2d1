"""The audio and the artwork of a track, at addresses that never end."""

import hashlib
from http import HTTPStatus

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.library.artwork import SIZES, has_picture, sized_artwork
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.numbers import whole_number
from mfcc_assets.web.security.headers import FILES_POLICY
from mfcc_assets.web.site import site

blueprint = Blueprint("track_files", __name__)

_ARTWORK_SECONDS = 24 * 3600


@blueprint.get("/tracks/<track_id>/audio")
def audio(track_id: str) -> WerkzeugResponse:
    """Lead to a signed link to the file. A page can name this address, because it never ends."""
    return sent_audio(track_or_404(track_id))


@blueprint.get("/tracks/<track_id>/artwork")
def artwork(track_id: str) -> Response:
    """Send the artwork in one of the sizes."""
    return sent_artwork(track_or_404(track_id))


def sent_audio(track: Soundtrack) -> WerkzeugResponse:
    """Lead to a signed link to the file of a track."""
    return redirect(site().links.link(SOUNDTRACKS, track.blob_name), HTTPStatus.FOUND)


def sent_artwork(track: Soundtrack) -> Response:
    """Send the artwork of a track in the size that the address names."""
    size = whole_number(request.args.get("size", str(SIZES[1])))
    if size is None or size not in SIZES:
        abort(404)
    return sent_artwork_of_size(track, size)


def sent_artwork_of_size(track: Soundtrack, size: int) -> Response:
    """Send the artwork of a track, with a longest side of at most this many pixels."""
    accepted = request.headers.get("Accept", "")
    media_type = "image/webp" if "image/webp" in accepted else "image/jpeg"
    # Browsers name the SVG among what their pictures may be. Other programs, such as players, show none.
    takes_svg = "image/svg+xml" in accepted
    # The picture lies in the file, and a drawn cover shows its names. A drawn SVG has every size.
    parts = (track.track_id, track.content_digest, track.artwork, track.display_title, track.artist, takes_svg)
    picture_key = parts if takes_svg and not has_picture(track) else (*parts, size, media_type)
    response = Response()
    etag = hashlib.blake2b(repr(picture_key).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    response.set_etag(etag)
    response.headers["Cache-Control"] = f"private, max-age={_ARTWORK_SECONDS}"
    response.headers["Content-Security-Policy"] = FILES_POLICY
    response.vary.add("Accept")
    if not request.if_none_match.contains(etag):
        made = site().pictures.get_or_make(picture_key, lambda: _made(track, size, media_type, takes_svg=takes_svg))
        kind, _, data = made.partition(b"\n")
        response.data, response.content_type = data, kind.decode()
    response.make_conditional(request)
    return response


def _made(track: Soundtrack, size: int, media_type: str, *, takes_svg: bool) -> bytes:
    """Return the picture behind a line with its media type."""
    picture = sized_artwork(site().library, track, size, media_type, takes_svg=takes_svg)
    return picture.media_type.encode() + b"\n" + picture.data
