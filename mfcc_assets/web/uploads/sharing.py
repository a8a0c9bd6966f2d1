"""What only the browser that sent an upload may do with it: share it, end all links to it, and delete it."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.pipeline.delete_upload import delete_upload
from mfcc_assets.pipeline.shares import revoke_shares, share_upload, shared_document
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.web.errors import wants_json
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.exporting import exported_answer
from mfcc_assets.web.uploads.my_uploads import forget, require_mine
from mfcc_assets.web.uploads.refusals import Refused
from mfcc_assets.web.uploads.room import room
from mfcc_assets.web.uploads.shown_upload import shown_upload

blueprint = Blueprint("sharing", __name__)


@blueprint.post("/uploads/<upload:upload>/share")
def share(upload: UploadId) -> Response:
    """Make a link that shows the answer to everybody who has it, and tell it. It is told only now."""
    require_mine(upload)
    days = site().library.settings.web_share_days
    try:
        token = share_upload(site().library, upload, seconds=timedelta(days=days).total_seconds())
    except DocumentNotFound as error:
        upload_state(site().library, upload)
        said = _("This upload was not looked at yet, so it cannot be shared. Try again in a few seconds.")
        raise Refused(HTTPStatus.CONFLICT, said) from error
    link = url_for("sharing.shared_page", token=token, _external=True)
    if wants_json():
        return jsonify(address=link, days=days)
    return make_response(render_template("uploads/link.html", link=link, days=days, back=address_of(upload)))


@blueprint.post("/uploads/<upload:upload>/share/revoke")
def revoke(upload: UploadId) -> WerkzeugResponse:
    """End all links to the answer."""
    require_mine(upload)
    try:
        revoke_shares(site().library, upload)
    except DocumentNotFound:
        upload_state(site().library, upload)  # before it has a document, it has no links either
    return redirect(address_of(upload), HTTPStatus.SEE_OTHER)


@blueprint.post("/uploads/<upload:upload>/delete")
def delete(upload: UploadId) -> WerkzeugResponse:
    """Delete an upload with everything that was made from it."""
    delete_mine(upload)
    return redirect(url_for("pages.upload_form", deleted=1), HTTPStatus.SEE_OTHER)


@blueprint.get("/shared/<token>/export.<any(m3u8, xspf, jspf):suffix>")
def shared_export(token: str, suffix: str) -> Response:
    """Send the recommended tracks of a shared answer as a file for players, which plays as long as the link lasts."""
    stored, base = shared_document(site().library, token), f"/shared/{token}"
    return exported_answer(shown_upload(stored, base, is_mine=False, plays=False), suffix, base=base)


@blueprint.get("/shared/<token>")
def shared_page(token: str) -> Response:
    """Show an answer to whoever has the link. The page tells neither the id of the upload nor its sound."""
    stored = shared_document(site().library, token)
    shown = shown_upload(stored, request.path, is_mine=False, plays=False)
    response = make_response(render_template("uploads/shared.html", shown=shown))
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def delete_mine(upload: UploadId) -> None:
    """Delete an upload of this caller, and what this process keeps of it.

    Raises
    ------
    Refused
        If somebody else has sent it.
    PurgeIncomplete
        If something of it could not be removed.
    """
    require_mine(upload)
    here = room()
    try:
        delete_upload(site().library, upload)
    finally:
        # What this process keeps of it goes too if something else is left, and after a request that came meanwhile.
        here.previews.forget(upload)
        here.admission.forget(upload)
        here.watch.hurry()
        for kept in (site().pictures, site().pairs):
            kept.drop(lambda key: isinstance(key, tuple) and upload in key)
    forget(upload)
