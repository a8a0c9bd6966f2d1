"""Which uploads a caller has sent. A browser remembers that itself, in a signed cookie that no script can read.

The cookie holds a random id of the browser, and half of the id of each upload follows from it and the key of the
library. So a browser may do something with all uploads that it has ever sent, although its cookie does not name them
all, and although two of its pages may send something at the same time. A program has no cookie: its key stands in
place of the browser.
"""

import hmac
import secrets
from http import HTTPStatus

from flask import session

from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.keys import key_of_request
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
    """Return the id of a new upload of this caller. Nobody can guess it."""
    chosen = secrets.token_hex(_HALF_BYTES)
    return UploadId(chosen + _other_half(_key_of_caller() or know_browser(), chosen))


def my_uploads() -> list[UploadId]:
    """Return the uploads that the list of this browser has, the last one first."""
    kept = session.get(_KEY, [])
    return [UploadId(each) for each in kept if isinstance(each, str) and is_upload_id(each)]


def remember(upload: UploadId) -> None:
    """Add an upload to the list of this browser. A program with a key has no such list."""
    if _key_of_caller():
        return
    session.permanent = True
    session[_KEY] = [upload, *(each for each in my_uploads() if each != upload)][:MOST_REMEMBERED]


def forget(upload: UploadId) -> None:
    """Remove an upload from the list of this browser."""
    if _key_of_caller():
        return
    session[_KEY] = [each for each in my_uploads() if each != upload]


def is_known() -> bool:
    """Return whether this caller is known by a key or a cookie, without which it cannot have sent an upload."""
    return bool(_key_of_caller()) or _BROWSER in session


def is_mine(upload: UploadId) -> bool:
    """Return whether this caller has sent an upload."""
    sender = _key_of_caller() or session.get(_BROWSER)
    if not isinstance(sender, str) or not is_upload_id(upload):
        return False
    chosen, other = upload[: 2 * _HALF_BYTES], upload[2 * _HALF_BYTES :]
    return hmac.compare_digest(other, _other_half(sender, chosen))


def require_mine(upload: UploadId) -> None:
    """Refuse a request of a caller that has not sent the upload. Its address alone gives nobody the right to it."""
    if not is_mine(upload):
        raise Refused(HTTPStatus.FORBIDDEN, _("Only the browser or the key that sent this file can do this."))


def _key_of_caller() -> str:
    """Return the text that stands for a program in place of the id of a browser; empty if the request has no key."""
    key = key_of_request(site().library)
    return f"key:{key.key_id}" if key else ""


def _other_half(sender: str, chosen: str) -> str:
    key = site().library.key_for("uploads of a browser")
    return hmac.digest(key, f"{sender} {chosen}".encode(), "sha256")[:_HALF_BYTES].hex()
