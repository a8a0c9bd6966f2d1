"""How many wrong keys one address may send."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from flask import Flask, current_app, request
from werkzeug.exceptions import TooManyRequests

from mfcc_assets.pipeline.api_keys import ApiKey
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.addresses import sender_of
from mfcc_assets.web.security.rate import ATTEMPTS, Rate

_NAME = "mfcc_wrong_keys"
_MOST_REMEMBERED = 4096


class WrongKeys:
    """Counts the wrong keys of each address. Behind too many, no further key of the address is looked at.

    An address may be that of a household, where one player has an old key. So what opened the library from an address
    is still looked at from there, until it opens nothing any more.

    Examples
    --------
    >>> keys = WrongKeys("1 per hour")
    >>> keys.count("192.0.2.1", "right", opens=True)
    >>> keys.count("192.0.2.1", "wrong", opens=False)
    >>> [keys.wait("192.0.2.1", sent) > 0 for sent in ("right", "wrong")], keys.wait("192.0.2.2", "wrong")
    ([False, True], 0)
    """

    def __init__(self, limit: str = ATTEMPTS) -> None:
        self._rate = Rate(limit)
        self._opened: OrderedDict[bytes, None] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str, sent: str) -> int:
        """Return the seconds until a key from an address is looked at; 0 if it is looked at now.

        Parameters
        ----------
        address
            Address of the sender.
        sent
            The key, or the name of the user if the key is not in the request itself.
        """
        with self._lock:
            if _mark(address, sent) in self._opened:
                return 0
        return self._rate.wait(address)

    def count(self, address: str, sent: str, *, opens: bool) -> None:
        """Count a key that was looked at, and that opens the library or not."""
        mark = _mark(address, sent)
        with self._lock:
            self._opened.pop(mark, None)
            if opens:
                self._opened[mark] = None
                while len(self._opened) > _MOST_REMEMBERED:
                    self._opened.popitem(last=False)
        if not opens:
            self._rate.take(address)


def count_wrong_keys(app: Flask) -> None:
    """Let an app count the wrong keys that it gets."""
    app.extensions[_NAME] = WrongKeys()


def looked_at(sent: str, find: Callable[[], ApiKey | None]) -> ApiKey | None:
    """Return the key that a function finds for what the request sends; None if it opens nothing.

    Answers the request with 429 if its address has sent too many wrong keys.

    Parameters
    ----------
    sent
        The key, or the name of the user if the key is not in the request itself.
    find
        Function that looks for the key.
    """
    wrong: WrongKeys = current_app.extensions[_NAME]
    address = request.remote_addr or ""
    if wait := wrong.wait(address, sent):
        raise TooManyRequests(
            _("Too many wrong keys came from this address. Wait five minutes, and try again."), retry_after=wait
        )
    key = find()
    wrong.count(address, sent, opens=key is not None)
    return key


def _mark(address: str, sent: str) -> bytes:
    # No key stays in memory for longer than its request.
    return hashlib.sha256(f"{sender_of(address)} {sent}".encode("utf-8", "replace")).digest()
