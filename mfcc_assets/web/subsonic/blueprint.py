"""The addresses that players call, below ``/rest``."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.errors import BlobNameError, BlobNotFound, MfccError
from mfcc_assets.texts import printable
from mfcc_assets.web.security.headers import FILES_POLICY
from mfcc_assets.web.security.players import PLAYERS
from mfcc_assets.web.subsonic import (
    browse_calls,
    kept_nothing,
    list_calls,
    media_calls,
    server_calls,
    similarity_calls,
)
from mfcc_assets.web.subsonic.answers import Content, answer, check_format, failed_answer
from mfcc_assets.web.subsonic.caller import require_key
from mfcc_assets.web.subsonic.failures import CallFailed, Code

blueprint = Blueprint("subsonic", __name__, url_prefix=PLAYERS)

_logger = logging.getLogger(__name__)

_WITHOUT_KEY = "getOpenSubsonicExtensions"
_PREFLIGHT_SECONDS = 24 * 3600

_CALLS: Mapping[str, Callable[[], Content | WerkzeugResponse]] = {
    "ping": server_calls.ping,
    "getLicense": server_calls.license_of_server,
    _WITHOUT_KEY: server_calls.extensions,
    "tokenInfo": server_calls.token_info,
    "getUser": server_calls.user,
    "getScanStatus": server_calls.scan_status,
    "getMusicFolders": browse_calls.music_folders,
    "getIndexes": browse_calls.indexes,
    "getMusicDirectory": browse_calls.music_directory,
    "getArtists": browse_calls.artists,
    "getArtist": browse_calls.artist,
    "getAlbum": browse_calls.album,
    "getSong": browse_calls.one_song,
    "getGenres": browse_calls.genres,
    "getAlbumList": list_calls.album_list,
    "getAlbumList2": list_calls.album_list_2,
    "getRandomSongs": list_calls.random_songs,
    "getSongsByGenre": list_calls.songs_by_genre,
    "search": list_calls.old_search,
    "search2": list_calls.search_2,
    "search3": list_calls.search_3,
    "getSonicSimilarTracks": similarity_calls.sonic_similar_tracks,
    "findSonicPath": similarity_calls.sonic_path,
    "getSimilarSongs": similarity_calls.similar_songs,
    "getSimilarSongs2": similarity_calls.similar_songs_2,
    "stream": media_calls.stream,
    "download": media_calls.download,
    "getCoverArt": media_calls.cover_art,
    **kept_nothing.CALLS,
}
"""What each call does, by its name."""

_READ_BY_OTHER_SITES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers that let a player in a browser read answers. No cookie counts here, and every answer needs a key."""


@blueprint.route("/<path:method>", methods=["GET", "POST", "OPTIONS"], provide_automatic_options=False)
def call(method: str) -> WerkzeugResponse:
    """Do what a player asks for."""
    if request.method == "OPTIONS":
        return _preflight()
    name = method.removesuffix(".view")
    check_format()
    if name != _WITHOUT_KEY:
        require_key()
    if name not in _CALLS:
        response = failed_answer(CallFailed(Code.GENERIC, "This server has no such call."))
        response.status_code = HTTPStatus.NOT_FOUND
        return response
    done = _CALLS[name]()
    return done if isinstance(done, WerkzeugResponse) else answer(done)


@blueprint.after_request
def let_other_sites_read(response: Response) -> Response:
    """Add the headers by which players in browsers can use the answer."""
    response.headers.update(_READ_BY_OTHER_SITES)
    response.headers.setdefault("Content-Security-Policy", FILES_POLICY)
    return response


@blueprint.errorhandler(CallFailed)
def tell_failure(failure: CallFailed) -> Response:
    """Answer a call that failed."""
    return failed_answer(failure)


@blueprint.errorhandler(MfccError)
def tell_ours(error: MfccError) -> Response:
    """Answer a call for which the library has an error."""
    if isinstance(error, BlobNotFound | BlobNameError):
        return failed_answer(CallFailed(Code.NOT_FOUND, "The file of this song is gone."))
    _logger.error("%s failed: %s", _called(), error)
    return failed_answer(CallFailed(Code.GENERIC, "The server cannot do this now. Its log says why."))


@blueprint.errorhandler(HTTPException)
def tell_http(error: HTTPException) -> Response:
    """Answer a call that the server refuses."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    said = {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The call has too many parameters.",
        HTTPStatus.TOO_MANY_REQUESTS: "Too many wrong keys came from this address. Wait five minutes, and try again.",
        HTTPStatus.SERVICE_UNAVAILABLE: "The server is busy. Try again in a few seconds.",
    }
    response = failed_answer(CallFailed(Code.GENERIC, said.get(status, f"{status.phrase}.")))
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Retry-After")
    return response


@blueprint.errorhandler(Exception)
def tell_unforeseen(error: Exception) -> Response:
    """Answer a call that failed for a reason that nobody foresaw."""
    _logger.error("%s failed", _called(), exc_info=error)
    return failed_answer(CallFailed(Code.GENERIC, "The server failed. Its log says why."))


def _called() -> str:
    """Return the call for the log. Its parameters have the key, so the log has none of them."""
    method = (request.view_args or {}).get("method", "")
    return printable(f"{request.method} {PLAYERS}/{method}")


def _preflight() -> Response:
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response
