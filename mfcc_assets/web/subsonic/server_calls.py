"""Calls about the server and the caller."""

from flask import request

from mfcc_assets.web.site import site
from mfcc_assets.web.subsonic import ids
from mfcc_assets.web.subsonic.answers import Content
from mfcc_assets.web.subsonic.asked import needed
from mfcc_assets.web.subsonic.caller import caller
from mfcc_assets.web.subsonic.failures import CallFailed, Code

_EXTENSIONS = {"apiKeyAuthentication": [1], "formPost": [1], "sonicSimilarity": [1]}
"""Extensions of the protocol that work here, with their versions."""

_ROLES = {
    "scrobblingEnabled": False,
    "adminRole": False,
    "settingsRole": False,
    "downloadRole": True,
    "uploadRole": False,
    "playlistRole": False,
    "coverArtRole": False,
    "commentRole": False,
    "podcastRole": False,
    "streamRole": True,
    "jukeboxRole": False,
    "shareRole": False,
    "videoConversionRole": False,
}
"""What every caller may do: listen and download."""


def ping() -> Content:
    """Say nothing but that the key is right."""
    return {}


def license_of_server() -> Content:
    """Say that this server needs no licence of Subsonic."""
    return {"license": {"valid": True}}


def extensions() -> Content:
    """List the extensions of the protocol that work here."""
    return {"openSubsonicExtensions": [{"name": name, "versions": each} for name, each in _EXTENSIONS.items()]}


def token_info() -> Content:
    """Say whose key this is."""
    return {"tokenInfo": {"username": caller().name}}


def user() -> Content:
    """Say what the caller may do. Nobody learns it of others."""
    name = caller().name
    if request.values.get("username", name) != name:
        raise CallFailed(Code.NOT_AUTHORIZED, "A key tells only of its own user.")
    return {"user": {"username": needed("username"), **_ROLES, "folder": [ids.FOLDER]}}


def scan_status() -> Content:
    """Say whether music waits to be analysed, and how many songs the library has."""
    examined, every = site().library.catalogue.progress()
    return {"scanStatus": {"scanning": examined < every, "count": every}}
