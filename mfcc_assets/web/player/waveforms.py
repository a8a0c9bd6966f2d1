"""The waveforms that the player and the pages draw."""

from http import HTTPStatus

import numpy as np
from flask import Blueprint, Response, abort, request

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.waveform import WAVEFORM_VERSION, Waveform
from mfcc_assets.ids import AudioId, TrackId, UploadId, is_upload_id
from mfcc_assets.web.site import site

blueprint = Blueprint("waveforms", __name__)

_KEPT_SECONDS = 24 * 3600


@blueprint.get("/tracks/<track_id>/waveform")
def of_track(track_id: str) -> Response:
    """Send the waveform of a soundtrack."""
    track = site().library.browsing.track(TrackId(track_id))
    return _sent(track.audio_id if track else None)


@blueprint.get("/uploads/<upload_id>/waveform")
def of_upload(upload_id: str) -> Response:
    """Send the waveform of an upload."""
    if not is_upload_id(upload_id):
        abort(HTTPStatus.NOT_FOUND)
    document = site().library.documents.get_or_none(UploadId(upload_id))
    return _sent(document.body.get("audio_id") if document else None)


def as_bytes(waveform: Waveform) -> bytes:
    """Return a waveform as scripts read it: for each bin its peak, and the levels of the low, middle and high band.

    Examples
    --------
    >>> as_bytes(Waveform(np.array([255, 3], np.uint8), np.array([[9, 8, 7], [2, 1, 0]], np.uint8))).hex(" ")
    'ff 09 08 07 03 02 01 00'
    """
    return np.column_stack([waveform.peaks, waveform.bands]).tobytes()


def _sent(audio_id: AudioId | None) -> Response:
    """Send the waveform of an audio. There is none before the audio was analysed."""
    if audio_id is None:
        abort(HTTPStatus.NOT_FOUND)
    response = Response(content_type="application/octet-stream")
    # The audio id names the samples, so the waveform of one never changes.
    response.set_etag(f"{WAVEFORM_VERSION}-{audio_id}")
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    if not request.if_none_match.contains(response.get_etag()[0] or ""):
        try:
            response.data = as_bytes(site().library.features.read_waveform(audio_id))
        except FeaturesMissing:
            abort(HTTPStatus.NOT_FOUND)
    response.make_conditional(request)
    return response
