"""The tracks of a shared answer, for whoever has a link to it. The other tracks of the library need the log-in."""

from flask import Blueprint, Response, abort
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.pipeline.shares import shared_document
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.library.track_files import sent_artwork, sent_audio
from mfcc_assets.web.player.waveforms import sent_waveform_of
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.shown_upload import shown_upload

blueprint = Blueprint("shared_tracks", __name__)


@blueprint.get("/shared/<token>/tracks/<track_id>/audio")
def audio(token: str, track_id: str) -> WerkzeugResponse:
    """Lead to a signed link to the file of a track of the answer."""
    return sent_audio(shared_track(token, track_id)[1])


@blueprint.get("/shared/<token>/tracks/<track_id>/artwork")
def artwork(token: str, track_id: str) -> Response:
    """Send the artwork of a track of the answer."""
    return sent_artwork(shared_track(token, track_id)[1])


@blueprint.get("/shared/<token>/tracks/<track_id>/waveform")
def waveform(token: str, track_id: str) -> Response:
    """Send the waveform of a track of the answer."""
    return sent_waveform_of(shared_track(token, track_id)[1])


def shared_track(token: str, track_id: str) -> tuple[Document, Soundtrack]:
    """Return the document of the upload that a token shows, and a track of its answer.

    The request is answered with 404 if the answer has no such track.

    Raises
    ------
    DocumentNotFound
        If the token shows nothing.
    """
    stored = shared_document(site().library, token)
    shown = shown_upload(stored, "", is_mine=False, plays=False)
    if not any(card.track_id == track_id for card in (*shown.recommendations, *shown.candidates)):
        abort(404, _("The shared answer has no such track."))
    return stored, track_or_404(track_id)
