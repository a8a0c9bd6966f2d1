"""Addresses to which a listener sends a file."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import as_file, files
from pathlib import Path

from flask import Blueprint, Request, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.ids import UploadId
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.bodies import AROUND_A_FILE, Body, form_body, raw_body
from mfcc_assets.web.uploads.my_uploads import new_upload, remember
from mfcc_assets.web.uploads.refusals import Refused
from mfcc_assets.web.uploads.room import room
from mfcc_assets.web.uploads.storing import store_upload

blueprint = Blueprint("receiving", __name__)

SAMPLES: Mapping[str, str] = {
    "Muldjord_chaos_god.ogg": "Chaos God",
    "Manuel_Vanethian_Marino_Ufo_AI_Geoscape_Music.ogg": "Ufo: AI Geoscape Music",
    "Will_Savino_Palace.ogg": "Palace",
}
"""Titles of the files that a listener can try without having one.

They are tracks of the starter library. In this library each of them has a stretch in common with the first track of its
answer, so that the page of the answer plays why.
"""


@blueprint.put("/uploads")
def put() -> tuple[Response, int, dict[str, str]]:
    """Take a file that is the body of the request, and answer with its id and its address."""
    upload = _take(raw_body)
    address = address_of(upload)
    return jsonify(id=upload, address=address), HTTPStatus.CREATED, {"Location": address}


@blueprint.post("/uploads")
def post() -> WerkzeugResponse:
    """Take a file from a form, for browsers without scripts."""
    return _see(_take(form_body, around=AROUND_A_FILE))


@blueprint.post("/uploads/sample")
def sample() -> WerkzeugResponse:
    """Take a file of the starter library, as if the listener had sent it."""
    name = request.form.get("name", "")
    if name not in SAMPLES:
        raise Refused(HTTPStatus.NOT_FOUND, _("There is no such sample."))
    with as_file(files("mfcc_assets").joinpath("demo", "library", name)) as path:
        content = Path(path).read_bytes()
    upload = new_upload()
    with room().admission.admitted(len(content), request.remote_addr or ""):
        store_upload(site().library, upload, Body(name, iter([content])))
    return _see(_stored(upload))


def _take(body_of: Callable[[Request], Body], *, around: int = 0) -> UploadId:
    upload = new_upload()
    with room().admission.admitted(request.content_length, request.remote_addr or "", around=around):
        store_upload(site().library, upload, body_of(request))
    return _stored(upload)


def _stored(upload: UploadId) -> UploadId:
    room().admission.stored(upload, request.remote_addr or "")
    room().previews.begin(upload)
    remember(upload)
    return upload


def _see(upload: UploadId) -> WerkzeugResponse:
    return redirect(address_of(upload), HTTPStatus.SEE_OTHER)
