"""Tracks as a playlist file that a listener downloads."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from flask import Response, abort, request

from mfcc_assets.pipeline.playlists import playlist_entry
from mfcc_assets.playlists.formats import format_of
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.i18n import gettext as _

EXPORTED_TYPES = {"m3u8": "audio/x-mpegurl", "xspf": "application/xspf+xml", "jspf": "application/json"}
"""Type of each kind of file, by its suffix."""


def exported_playlist(name: str, suffix: str, title: str, tracks: Sequence[Soundtrack], *, base: str = "") -> Response:
    """Return a response that the browser saves as a file.

    Parameters
    ----------
    name
        Name of the file without its suffix, in ASCII.
    suffix
        One of `EXPORTED_TYPES`.
    title
        Title of the playlist.
    tracks
        The tracks in order. Their addresses are those of this site, so that no link in the file ends by itself.
    base
        Beginning of the addresses of the tracks, such as that of a shared answer, which is heard without a log-in.
    """
    if not tracks:
        abort(404, _("There are no tracks to export."))
    file_name = PurePosixPath(f"{name}.{suffix}")
    site_address = request.host_url.rstrip("/")
    text = format_of(Path(file_name))(
        title, [playlist_entry(track, f"{site_address}{base}/tracks/{track.track_id}/audio") for track in tracks]
    )
    response = Response(text.encode("utf-8", "replace"), content_type=f"{EXPORTED_TYPES[suffix]}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
