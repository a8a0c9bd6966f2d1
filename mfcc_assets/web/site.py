"""What all requests share: the library, and what is kept open between them."""

from dataclasses import dataclass, field
from functools import cached_property

from flask import Flask, current_app

from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.web.byte_cache import ByteCache
from mfcc_assets.web.kept_links import KeptLinks

_NAME = "mfcc"
_PICTURE_BYTES = 48 << 20


@dataclass(frozen=True)
class Site:
    """What all requests of one app share.

    Attributes
    ----------
    library
        The library that the pages show.
    pictures
        Pictures that were shown lately, such as artwork of a certain size.
    """

    library: Library
    pictures: ByteCache = field(default_factory=lambda: ByteCache(_PICTURE_BYTES))

    @cached_property
    def published(self) -> PublishedIndex:
        """The index that answers."""
        return PublishedIndex(self.library)

    @cached_property
    def links(self) -> KeptLinks:
        """Signed links to blobs."""
        return KeptLinks(self.library)


def open_site(app: Flask, site: Site) -> None:
    """Let the requests of an app find the site."""
    app.extensions[_NAME] = site


def site() -> Site:
    """Return the site of the request."""
    found: Site = current_app.extensions[_NAME]
    return found
