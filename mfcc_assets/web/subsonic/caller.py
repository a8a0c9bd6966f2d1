"""Who calls: the key that a player sends, in one of the ways that players know.

A log-in password of the pages is never taken, because a player keeps what it sends, and some send it readably.
"""

from flask import g, request

from mfcc_assets.pipeline.api_keys import ApiKey, key_of_text, key_of_token
from mfcc_assets.web.security.wrong_keys import looked_at
from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic.failures import CallFailed, Code

_ENCODED = "enc:"
_WRONG = "The name or the key is wrong. Use a name and a key that `mfcc keys add` gave, not a password of the pages."


def require_key() -> None:
    """Find the key of the call, so that `caller` returns it. Raises `CallFailed` if it has none that opens anything."""
    sent = {name: request.values[name] for name in ("apiKey", "u", "p", "t", "s") if name in request.values}
    if "apiKey" in sent:
        if len(sent) > 1:
            raise CallFailed(Code.CONFLICTING_CREDENTIALS, "Send either apiKey alone, or a name with a key or a token.")
        text = sent["apiKey"]
        key = looked_at(text, lambda: key_of_text(site().library, text))
        if key is None:
            raise CallFailed(Code.INVALID_KEY, "This key opens nothing. It may have been revoked.")
    else:
        key = _key_of_name(sent)
    g.subsonic_caller = key


def caller() -> ApiKey:
    """Return the key of the call."""
    key: ApiKey = g.subsonic_caller
    return key


def _key_of_name(sent: dict[str, str]) -> ApiKey:
    if not sent and "Authorization" in request.headers:
        raise CallFailed(Code.UNSUPPORTED_CREDENTIALS, "Send the key as a parameter, not in a header.")
    if "p" in sent and {"t", "s"} & sent.keys():
        raise CallFailed(Code.CONFLICTING_CREDENTIALS, "Send either p, or t and s.")
    for name in ("u", "p") if "p" in sent else ("u", "t", "s"):
        if name not in sent:
            raise CallFailed(Code.MISSING_PARAMETER, f"The parameter {name} is missing, or apiKey in its place.")
    library, name = site().library, sent["u"]
    if "p" in sent:
        text = _decoded(sent["p"])
        key = looked_at(f"{text} of {name}", lambda: _of_name(key_of_text(library, text), name))
    else:
        key = looked_at(name, lambda: key_of_token(library, name, sent["t"], sent["s"]))
    if key is None:
        raise CallFailed(Code.WRONG_CREDENTIALS, _WRONG)
    return key


def _of_name(key: ApiKey | None, name: str) -> ApiKey | None:
    return key if key is not None and key.name == name else None


def _decoded(password: str) -> str:
    if not password.startswith(_ENCODED):
        return password
    try:
        return bytes.fromhex(password.removeprefix(_ENCODED)).decode()
    except ValueError:
        return ""
