"""Which uploads this browser has sent. It remembers them itself, in a signed cookie that no script can read."""

from http import HTTPStatus

from flask import session

from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.uploads.refusals import Refused

MOST_REMEMBERED = 20
"""Number of uploads that a browser remembers. A cookie has at most 4 KB."""

_KEY = "uploads"


def my_uploads() -> list[UploadId]:
    """Return the uploads that this browser remembers, the last one first."""
    kept = session.get(_KEY, [])
    return [UploadId(each) for each in kept if isinstance(each, str) and is_upload_id(each)]


def remember(upload: UploadId) -> None:
    """Let this browser remember an upload."""
    session.permanent = True
    session[_KEY] = [upload, *(each for each in my_uploads() if each != upload)][:MOST_REMEMBERED]


def forget(upload: UploadId) -> None:
    """Let this browser forget an upload."""
    session[_KEY] = [each for each in my_uploads() if each != upload]


def is_mine(upload: UploadId) -> bool:
    """Return whether this browser has sent an upload, and remembers it."""
    return upload in my_uploads()


def require_mine(upload: UploadId) -> None:
    """Refuse a request of a browser that has not sent the upload. Its address alone gives nobody the right to it."""
    if not is_mine(upload):
        raise Refused(HTTPStatus.FORBIDDEN, _("Only the browser that sent this file can do this."))
