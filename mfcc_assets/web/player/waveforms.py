"""The waveforms that the player and the pages draw."""

from http import HTTPStatus

import numpy as np
from flask import Blueprint, Response, abort, request

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.waveform import WAVEFORM_VERSION, Waveform
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.web.site import site

blueprint = Blueprint("waveforms", __name__)

_KEPT_SECONDS = 24 * 3600


@blueprint.get("/tracks/<track_id>/waveform")
def of_track(track_id: str) -> Response:
    """Send the waveform of a soundtrack."""
    track = site().library.browsing.track(TrackId(track_id))
    if track is None:
        abort(HTTPStatus.NOT_FOUND)
    return waveform_of_audio(track.audio_id)


def as_bytes(waveform: Waveform) -> bytes:
    """Return a waveform as scripts read it: for each bin its peak, and the levels of the low, middle and high band.

    Examples
    --------
    >>> as_bytes(Waveform(np.array([255, 3], np.uint8), np.array([[9, 8, 7], [2, 1, 0]], np.uint8))).hex(" ")
    'ff 09 08 07 03 02 01 00'
    """
    return np.column_stack([waveform.peaks, waveform.bands]).tobytes()


def waveform_of_audio(audio_id: AudioId | None) -> Response:
    """Send the stored waveform of an audio; no content before the audio was analysed."""
    try:
        return waveform_sent(audio_id, site().library.features.read_waveform(audio_id)) if audio_id else _nothing_yet()
    except FeaturesMissing:
        return _nothing_yet()


def waveform_sent(audio_id: AudioId, waveform: Waveform) -> Response:
    """Send the waveform of an audio, unless the browser has it."""
    response = Response(as_bytes(waveform), content_type="application/octet-stream")
    # The audio id names the samples, so the waveform of one never changes.
    response.set_etag(f"{WAVEFORM_VERSION}-{audio_id}")
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    response.make_conditional(request)
    return response


def _nothing_yet() -> Response:
    # It is no error, so the console of a browser has nothing to report.
    return Response(status=HTTPStatus.NO_CONTENT)
