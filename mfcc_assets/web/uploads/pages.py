"""The page on which one uploads, and the page of an upload."""

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.pipeline.upload_file import place_of_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.texts import printable
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.my_uploads import is_mine, know_browser, my_uploads
from mfcc_assets.web.uploads.receiving import SAMPLES
from mfcc_assets.web.uploads.room import room
from mfcc_assets.web.uploads.shown_upload import ShownUpload, shown_upload

blueprint = Blueprint("pages", __name__)

FORMATS = ("MP3", "FLAC", "M4A", "AAC", "Ogg", "Opus", "WAV", "AIFF", "WMA", "APE")
"""Formats that are named to listeners. Others are read too."""

_RECENT = 8


@dataclass(frozen=True)
class RecentUpload:
    """An upload in the list of this browser.

    Attributes
    ----------
    address
        Address of its page.
    title
        What it was recognised as, or the name of its file.
    received
        Time at which it came, as an ISO 8601 text.
    state
        Its state.
    """

    address: str
    title: str
    received: str
    state: str


@blueprint.get("/")
def upload_form() -> str:
    """Show where to drop a file, and the last uploads of this browser."""
    know_browser()  # two pages that then send something at the same time are the same browser
    return render_template("uploads/form.html", formats=FORMATS, samples=SAMPLES, recent=_recent())


@blueprint.get("/uploads/<upload:upload>")
def upload_page(upload: UploadId) -> str:
    """Show an upload and its answer, as far as it is there."""
    return render_template("uploads/page.html", shown=_shown(upload))


@blueprint.get("/uploads/<upload:upload>/answer")
def answer(upload: UploadId) -> str:
    """Return the parts of the page that change when the answer comes."""
    return render_template("uploads/parts.html", shown=_shown(upload))


@blueprint.get("/uploads/<upload:upload>/state")
def state(upload: UploadId) -> Response:
    """Return how far an upload is, for pages that are not told at once."""
    news = room().news(upload_state(site().library, upload))
    response = jsonify(news.record())
    response.set_etag(news.tag)
    response.make_conditional(request)
    return response


@blueprint.get("/uploads/<upload:upload>/audio")
def audio(upload: UploadId) -> WerkzeugResponse:
    """Lead to a signed link to the file. A page can name this address, because it never ends."""
    container, name, _file_name = place_of_upload(
        site().library, UploadDocument.of(upload_state(site().library, upload).body)
    )
    return redirect(site().links.link(container, name))


def _shown(upload: UploadId) -> ShownUpload:
    stored = upload_state(site().library, upload)
    room().begin_missing_preview(stored)
    return shown_upload(stored, address_of(upload), is_mine=is_mine(upload))


def _recent() -> list[RecentUpload]:
    uploads = my_uploads()
    documents = site().library.documents.get_many(uploads)
    found = []
    for upload in uploads:
        try:
            stored = documents.get(upload) or upload_state(site().library, upload)
        except DocumentNotFound:
            continue
        document = UploadDocument.of(stored.body)
        title = document.recognised.title if document.recognised else ""
        state = State(document.state).value
        found.append(RecentUpload(address_of(upload), printable(title or document.file_name), document.received, state))
    return found[:_RECENT]
