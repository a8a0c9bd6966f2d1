"""Calls for the audio of songs and for artwork."""

from flask import Response
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.files import sent_file
from mfcc_assets.web.library.artwork import has_picture
from mfcc_assets.web.library.track_files import sent_artwork_of_size, sent_audio
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic.asked import needed, number, song, songs_of_id

_LARGEST_PICTURE = 1200
_SMALLEST_PICTURE = 16


def stream() -> WerkzeugResponse:
    """Send the file of a song as it is, or the part of it that is asked for."""
    return _sent(song())


def download() -> WerkzeugResponse:
    """Send the file of a song, to be saved under its name."""
    response = _sent(song())
    given = response.headers.get("Content-Disposition", "")
    if given.startswith("inline"):
        response.headers["Content-Disposition"] = given.replace("inline", "attachment", 1)
    return response


def cover_art() -> Response:
    """Send the artwork of a song, of an album or of an artist."""
    songs = songs_of_id(needed("id"))
    # The first song that has a picture stands for its whole album or artist.
    track = next(filter(has_picture, songs), songs[0])
    size = max(number("size", _LARGEST_PICTURE, _LARGEST_PICTURE), _SMALLEST_PICTURE)
    return sent_artwork_of_size(track, size)


def _sent(track: Soundtrack) -> WerkzeugResponse:
    blobs = site().library.blobs
    if not isinstance(blobs, LocalBlobs):
        return sent_audio(track)
    # No link to another address of this site: only this one may be read by the pages of other sites.
    found = blobs.stat(SOUNDTRACKS, track.blob_name)
    response = sent_file(blobs.path(SOUNDTRACKS, track.blob_name), SOUNDTRACKS, found)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
