"""The waveforms that the player and the pages draw."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import numpy as np
from flask import Blueprint, Response, abort, request

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.waveform import WAVEFORM_VERSION, Waveform
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.site import site

blueprint = Blueprint("waveforms", __name__)

_KEPT_SECONDS = 24 * 3600


@blueprint.get("/tracks/<track_id>/waveform")
def of_track(track_id: str) -> Response:
    """Send the waveform of a soundtrack."""
    track = site().library.browsing.track(TrackId(track_id))
    if track is None:
        abort(HTTPStatus.NOT_FOUND)
    return sent_waveform_of(track)


def sent_waveform_of(track: Soundtrack) -> Response:
    """Send the waveform of a soundtrack, or 404 if it has none yet."""
    library = site().library
    if track.audio_id is None:
        return no_waveform_yet()
    return sent_waveform(track.audio_id, partial(library.features.read_waveform, track.audio_id))


def as_bytes(waveform: Waveform) -> bytes:
    """Return a waveform as scripts read it: for each bin its peak, and the levels of the low, middle and high band.

    Examples
    --------
    >>> as_bytes(Waveform(np.array([255, 3], np.uint8), np.array([[9, 8, 7], [2, 1, 0]], np.uint8))).hex(" ")
    'ff 09 08 07 03 02 01 00'
    """
    return np.column_stack([waveform.peaks, waveform.bands]).tobytes()


def sent_waveform(audio_id: AudioId, read: Callable[[], Waveform]) -> Response:
    """Send the waveform of an audio, which is only read if the browser has not kept it.

    Parameters
    ----------
    audio_id
        Audio id.
    read
        Reads the waveform. It raises `FeaturesMissing` if there is none.
    """
    response = Response(content_type="application/octet-stream")
    # The audio id names the samples, so the waveform of one never changes.
    response.set_etag(f"{WAVEFORM_VERSION}-{audio_id}")
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    if not request.if_none_match.contains(response.get_etag()[0] or ""):
        try:
            response.data = as_bytes(read())
        except FeaturesMissing:
            return no_waveform_yet()
    response.make_conditional(request)
    return response


def no_waveform_yet() -> Response:
    """Send nothing. A page asks before the audio was analysed, and an error would stand in the browser's console."""
    return Response(status=HTTPStatus.NO_CONTENT)
