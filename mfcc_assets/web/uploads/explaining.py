"""Why a track sounds like an upload, and the pictures of an upload."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, make_response, render_template, request

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, LeftToTheRun, NoPublishedIndex
from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.explain import picture_without_words
from mfcc_assets.pipeline.explain_upload import explain_upload
from mfcc_assets.pipeline.file_answer import Preview
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import waveform_of_upload
from mfcc_assets.pipeline.upload_pictures import UploadPicture, picture_of_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.cards import card_of
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.library.not_ready import words_for
from mfcc_assets.web.pictures import sent_png
from mfcc_assets.web.player.waveforms import no_waveform_yet, sent_waveform
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.room import room
from mfcc_assets.web.uploads.shared_tracks import shared_track
from mfcc_assets.web.uploads.shown_upload import shown_upload
from mfcc_assets.web.why import why_of

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair

blueprint = Blueprint("explaining", __name__)

_ASKED_AGAIN = "private, no-cache"
"""A listener can delete an upload. Then no browser may show what it has kept of it."""


@blueprint.get("/uploads/<upload:upload>/why/<track_id>")
def why(upload: UploadId, track_id: str) -> Response:
    """Show why a track sounds like an upload."""
    return _why(upload_state(site().library, upload), track_or_404(track_id), address_of(upload), plays=True)


@blueprint.get("/shared/<token>/why/<track_id>")
def shared_why(token: str, track_id: str) -> Response:
    """Show it to whoever has a link to the answer. The upload itself is not heard."""
    stored, track = shared_track(token, track_id)
    return _why(stored, track, f"/shared/{token}", plays=False)


@blueprint.get("/uploads/<upload:upload>/why/<track_id>/path.png")
def path(upload: UploadId, track_id: str) -> Response:
    """Draw the path through an upload and a track."""
    return _path(upload_state(site().library, upload), track_or_404(track_id))


@blueprint.get("/shared/<token>/why/<track_id>/path.png")
def shared_path(token: str, track_id: str) -> Response:
    """Draw the path for whoever has a link to the answer."""
    return _path(*shared_track(token, track_id))


@blueprint.get("/uploads/<upload:upload>/pictures/<name>.png")
def picture(upload: UploadId, name: str) -> Response:
    """Draw one of the plots of an upload."""
    if name not in list(UploadPicture):
        abort(HTTPStatus.NOT_FOUND)
    # Whoever asks for a picture of a deleted upload must not get a kept one.
    stored = upload_state(site().library, upload)
    kind, opened = UploadPicture(name), _opened(stored)

    def draw() -> bytes:
        with site().heavy.turn():
            return picture_of_upload(site().library, opened, stored, kind, preview=_preview(upload))

    return _png(site().pictures.get_or_make(("upload", upload, name), draw))


@blueprint.get("/uploads/<upload:upload>/waveform")
def waveform(upload: UploadId) -> Response:
    """Send the waveform of an upload, as soon as its preview or a run has analysed it."""
    library, preview = site().library, _preview(upload)
    document = UploadDocument.of(upload_state(library, upload).body)
    audio_id = document.audio_id or (preview.file.audio_id if preview else None)
    if audio_id is None:
        return no_waveform_yet()
    response = sent_waveform(audio_id, lambda: waveform_of_upload(library, document, preview))
    response.headers["Cache-Control"] = _ASKED_AGAIN
    return response


def _why(stored: Document, track: Soundtrack, base: str, *, plays: bool) -> Response:
    shown = shown_upload(stored, base, is_mine=False, plays=plays)
    cards = shown.card, card_of(track, base="" if plays else base)
    try:
        found = why_of(explained(stored, track), *cards, f"{request.path}/path.png")
    except (CorruptIndex, FeaturesMissing, LeftToTheRun, NoPublishedIndex) as error:
        page = render_template("uploads/why.html", shown=shown, cards=cards, why=None, instead=words_for(error))
        response = make_response(page)
        response.status_code = HTTPStatus.NOT_FOUND
        return response
    return make_response(render_template("uploads/why.html", shown=shown, cards=cards, why=found, instead=""))


def _path(stored: Document, track: Soundtrack) -> Response:
    opened = _opened(stored)

    def draw() -> bytes:
        pair = explained(stored, track)
        with site().heavy.turn():
            return picture_without_words(opened.index, pair)

    return _png(site().pictures.get_or_make(("path", stored.id, opened.index.version, track.track_id), draw))


def explained(stored: Document, track: Soundtrack) -> "ExplainedPair":
    """Return why a track is near to an upload. Raises as `mfcc_assets.pipeline.explain_upload.explain_upload`."""
    opened = _opened(stored)

    def explain() -> "ExplainedPair":
        # Without a preview and stored features, the whole file is decoded and analysed.
        with site().heavy.turn():
            return explain_upload(site().library, opened, stored, track, preview=_preview(UploadId(stored.id)))

    # The title that the upload was recognised by is part of the explanation.
    key = (stored.id, stored.etag, opened.index.version, track.track_id, track.display_title)
    return site().pairs.get_or_make(key, explain)


def _preview(upload: UploadId) -> Preview | None:
    outcome = room().previews.get(upload)
    return outcome.preview if outcome else None


def _opened(stored: Document) -> OpenedIndex:
    """Return the index that answered an upload, or the published one if that is gone or there is no answer yet."""
    version = stored.body.get("index_version")
    published = site().published
    return (published.of_version(version) if version else None) or published.opened()


def _png(drawn: bytes) -> Response:
    return sent_png(drawn, _ASKED_AGAIN)
