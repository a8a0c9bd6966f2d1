"""Headers that only a known proxy in front of this server may set."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from mfcc_assets.web.security.addresses import KnownAddresses, parsed_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED = ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_FORWARDED_PREFIX",
              "X_FORWARDED_PROTO", "X_REAL_IP")  # fmt: skip


_logger = logging.getLogger(__name__)


class KnownProxies:
    """A WSGI application that believes forwarded headers of known proxies, and removes them from other requests.

    Parameters
    ----------
    application
        The application behind it.
    addresses
        Addresses and networks of the proxies.
    login_header
        Name of the header in which a proxy names the user.
    passed
        Paths that the proxies pass without their log-in, such as ``/metrics`` and ``/api/*``. Whoever sends a request
        there can write this header, so it is removed, also from requests of proxies.
    """

    def __init__(
        self, application: "WSGIApplication", addresses: Iterable[str], login_header: str, passed: Sequence[str] = ()
    ) -> None:
        self._direct = application
        self._proxied = ProxyFix(application, x_for=0, x_proto=1, x_host=1)
        self._proxies = KnownAddresses(addresses)
        self._has_warned = False
        self._passed = frozenset(path.lower() for path in passed if not path.endswith("*"))
        self._passed_below = tuple(path.removesuffix("*").lower() for path in passed if path.endswith("*"))
        self._names = [f"HTTP_{name}" for name in (*_FORWARDED, login_header.upper().replace("-", "_"))]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("REMOTE_ADDR", "") in self._proxies:
            environ["REMOTE_ADDR"] = self._sender(environ)
            if self._is_passed(environ.get("PATH_INFO", "")):
                environ.pop(self._names[-1], None)
            return self._proxied(environ, start_response)
        if environ.get(self._names[-1]) and not self._has_warned:
            self._has_warned = True
            _logger.warning("MFCC_WEB_PROXIES does not name %s, which names a user", environ.get("REMOTE_ADDR"))
        for name in self._names:
            environ.pop(name, None)
        return self._direct(environ, start_response)

    def _is_passed(self, path: str) -> bool:
        # A proxy may pass more than is meant, in other letters or with more slashes, and never less.
        plain = "/" + path.lower().lstrip("/")
        return plain in self._passed or plain.startswith(self._passed_below)

    def _sender(self, environ: "WSGIEnvironment") -> str:
        """Return the last address that no known proxy has. A sender can write what stands before it."""
        sender: str = environ["REMOTE_ADDR"]
        for named in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = parsed_address(named)
            if address is None or sender not in self._proxies:
                break
            sender = str(address)
        return sender
