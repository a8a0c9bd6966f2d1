"""The answer to an upload as a playlist file."""

from flask import Blueprint, Response

from mfcc_assets.ids import TrackId, UploadId
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.web.exported import exported_playlist
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.addresses import address_of
from mfcc_assets.web.uploads.shown_upload import ShownUpload, shown_upload

blueprint = Blueprint("exporting", __name__)


@blueprint.get("/uploads/<upload:upload>/export.<any(m3u8, xspf, jspf):suffix>")
def export(upload: UploadId, suffix: str) -> Response:
    """Send the recommended tracks as a file for players. It leads to this site, so no link in it ends."""
    stored = upload_state(site().library, upload)
    return exported_answer(shown_upload(stored, address_of(upload), is_mine=False), suffix)


def exported_answer(shown: ShownUpload, suffix: str, *, base: str = "") -> Response:
    """Send the recommended tracks of an upload as a file with one of the suffixes m3u8, xspf and jspf.

    The addresses of the tracks begin with `base`, as in `mfcc_assets.web.exported.exported_playlist`.
    """
    ids = [TrackId(card.track_id) for card in shown.recommendations]
    known = site().library.catalogue.tracks_with_ids(ids)
    title = _("Sounds like %(title)s") % {"title": shown.title}
    return exported_playlist("sounds-like", suffix, title, [known[track] for track in ids if track in known], base=base)
