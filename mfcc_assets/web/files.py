"""The files behind the signed links of a local library: audio and artwork, in whole or in part."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_file

from mfcc_assets.audio.artwork import is_generated_cover
from mfcc_assets.audio.signature import read_signature
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.web.security.headers import FILES_POLICY
from mfcc_assets.web.site import site

blueprint = Blueprint("files", __name__)

_AUDIO_TYPES: Mapping[str, str] = {
    "AAC": "audio/aac",
    "AIFF": "audio/aiff",
    "FLAC": "audio/flac",
    "MP3": "audio/mpeg",
    "MP4": "audio/mp4",
    "OGG": "audio/ogg",
    "WAV": "audio/wav",
    "WEBM": "audio/webm",
}
"""Type of each format that browsers play, by the beginning of its name."""

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)

_LARGEST_COVER = 64 * 1024
"""Bytes of a drawn cover, at most. It has about ten thousand."""

_OTHER = "application/octet-stream"
_RANGE = re.compile(r"bytes=\s*([0-9]+\s*-\s*[0-9]*|-[0-9]+)", re.IGNORECASE)
_SUFFIX_RANGE = re.compile(r"bytes=-([0-9]+)")


@blueprint.get("/blobs/<container>/<path:name>")
def blob(container: str, name: str) -> Response:
    """Send a file to the holder of a link that has not ended."""
    blobs = site().library.blobs
    if not isinstance(blobs, LocalBlobs):
        abort(404)  # links to a storage account lead to the account itself
    expires, signature = request.args.get("expires", ""), request.args.get("signature", "")
    found = blobs.open_link(container, name, expires=expires, signature=signature)
    response = sent_file(blobs.path(container, name), container, found)
    left = max(0, int(expires) - int(datetime.now(UTC).timestamp()))
    # A listener can delete an upload. Then no browser may show what it has kept of it.
    response.headers["Cache-Control"] = "private, no-cache" if container == "uploads" else f"private, max-age={left}"
    return response


def sent_file(path: Path, container: str, found: Blob) -> Response:
    """Send a file of a container, or the part of it that the request asks for."""
    _make_range_usable(found.size)
    response = send_file(
        path,
        mimetype=type_of(path, container),
        download_name=found.name.rpartition("/")[2],
        conditional=True,
        etag=found.etag.strip('"'),
        last_modified=found.modified,
    )
    response.headers["Content-Security-Policy"] = FILES_POLICY
    return response


def type_of(path: Path, container: str) -> str:
    """Return the type of a file by its content. A name may lie: it could make a browser run a file as a page."""
    if container == "artworks":
        with path.open("rb") as file:
            head = file.read(_LARGEST_COVER)
        # An SVG can hold scripts. Those of this package do not.
        if is_generated_cover(head):
            return "image/svg+xml"
        return next((kind for begins, kind in _PICTURES if head.startswith(begins)), _OTHER)
    signature = read_signature(path)
    name = signature.format.upper() if signature else ""
    return next((kind for begins, kind in _AUDIO_TYPES.items() if name.startswith(begins)), _OTHER)


def _make_range_usable(size: int) -> None:
    """Let a request have the whole file where Werkzeug refuses a range that HTTP allows.

    These are several ranges at once, ranges of something other than bytes, texts that are no range, and more last bytes
    than the file has.
    """
    wanted = request.headers.get("Range", "").strip()
    suffix = _SUFFIX_RANGE.fullmatch(wanted)
    if not _RANGE.fullmatch(wanted) or (suffix and _is_at_least(suffix[1], size)):
        request.environ.pop("HTTP_RANGE", None)


def _is_at_least(digits: str, size: int) -> bool:
    # Python refuses to read a number of thousands of digits.
    shortest = digits.lstrip("0")
    return size > 0 and (len(shortest) > len(str(size)) or int(shortest or "0") >= size)
