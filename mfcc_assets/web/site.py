"""What all requests share: the library, and what is kept open between them."""

from dataclasses import dataclass

from flask import Flask, current_app

from mfcc_assets.library import Library

_NAME = "mfcc"


@dataclass(frozen=True)
class Site:
    """What all requests of one app share.

    Attributes
    ----------
    library
        The library that the pages show.
    """

    library: Library


def open_site(app: Flask, site: Site) -> None:
    """Let the requests of an app find the site."""
    app.extensions[_NAME] = site


def site() -> Site:
    """Return the site of the request."""
    found: Site = current_app.extensions[_NAME]
    return found
