"""Which uploads this browser has sent. It remembers that itself, in a signed cookie that no script can read.

The cookie holds a random id of the browser, and half of the id of each upload follows from it and the key of the
library. So a browser may do something with all uploads that it has ever sent, although its cookie does not name them
all, and although two of its pages may send something at the same time.
"""

import hmac
import secrets
from http import HTTPStatus

from flask import session

from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.refusals import Refused

MOST_REMEMBERED = 20
"""Number of uploads that the list of a browser has. A cookie has at most 4 KB."""

_KEY = "uploads"
_BROWSER = "browser"
_HALF_BYTES = 8
_BROWSER_BYTES = 16


def know_browser() -> str:
    """Return the id of this browser. It is given one if it has none."""
    if _BROWSER not in session:
        session.permanent = True
        session[_BROWSER] = secrets.token_hex(_BROWSER_BYTES)
    browser: str = session[_BROWSER]
    return browser


def new_upload() -> UploadId:
    """Return the id of a new upload of this browser. Nobody can guess it."""
    chosen = secrets.token_hex(_HALF_BYTES)
    return UploadId(chosen + _other_half(know_browser(), chosen))


def my_uploads() -> list[UploadId]:
    """Return the uploads that the list of this browser has, the last one first."""
    kept = session.get(_KEY, [])
    return [UploadId(each) for each in kept if isinstance(each, str) and is_upload_id(each)]


def remember(upload: UploadId) -> None:
    """Add an upload to the list of this browser."""
    session.permanent = True
    session[_KEY] = [upload, *(each for each in my_uploads() if each != upload)][:MOST_REMEMBERED]


def forget(upload: UploadId) -> None:
    """Remove an upload from the list of this browser."""
    session[_KEY] = [each for each in my_uploads() if each != upload]


def is_mine(upload: UploadId) -> bool:
    """Return whether this browser has sent an upload."""
    browser = session.get(_BROWSER)
    if not isinstance(browser, str) or not is_upload_id(upload):
        return False
    chosen, other = upload[: 2 * _HALF_BYTES], upload[2 * _HALF_BYTES :]
    return hmac.compare_digest(other, _other_half(browser, chosen))


def require_mine(upload: UploadId) -> None:
    """Refuse a request of a browser that has not sent the upload. Its address alone gives nobody the right to it."""
    if not is_mine(upload):
        raise Refused(HTTPStatus.FORBIDDEN, _("Only the browser that sent this file can do this."))


def _other_half(browser: str, chosen: str) -> str:
    key = site().library.key_for("uploads of a browser")
    return hmac.digest(key, f"{browser} {chosen}".encode(), "sha256")[:_HALF_BYTES].hex()
