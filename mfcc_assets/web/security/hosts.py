"""The names under which browsers may ask for the pages. No other site can lead a browser here under its own name."""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address

from flask import Flask, request
from werkzeug.exceptions import SecurityError

_PORT = re.compile(r":[0-9]*$")


def refuse_other_hosts(app: Flask, trusted: Sequence[str]) -> None:
    """Refuse every request for a host that is not trusted.

    Flask's setting ``TRUSTED_HOSTS`` is not used, because it knows no IPv6 addresses.
    """

    @app.before_request
    def refuse() -> None:
        if not is_trusted(request.host, trusted):
            raise SecurityError(f"Host {request.host!r} is not trusted.")


def is_trusted(host: str, trusted: Sequence[str]) -> bool:
    """Return True if a host is one of those that are trusted.

    Parameters
    ----------
    host
        Host of a request, with or without a port; empty if the request names none.
    trusted
        Names and addresses. A dot in front of a name stands for all names below it, and for the name itself.

    Examples
    --------
    >>> [is_trusted(host, ["[::1]", ".home.example"]) for host in ("[::1]:8000", "den.home.example", "evil.example")]
    [True, True, False]
    """
    asked = _compared(_PORT.sub("", host))
    if not asked:
        return False
    for each in trusted:
        name = _compared(each.removeprefix("."))
        if asked == name or (each.startswith(".") and asked.endswith(f".{name}")):
            return True
    return False


def _compared(name: str) -> str:
    """Return the name of a host as browsers send it, or an IPv6 address in its shortest form.

    A dot at the end of a name says that it is complete. Browsers send it if a listener has written it.
    """
    if ":" in name:
        try:
            return str(IPv6Address(name.removeprefix("[").removesuffix("]")))
        except ValueError:
            return ""
    try:
        return name.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
