"""What all requests share: the library, and what is kept open between them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Flask, current_app

from mfcc_assets.library import Library
from mfcc_assets.pipeline.health_figures import HealthFigures
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.web.heavy_work import HeavyWork
from mfcc_assets.web.kept_lately import KeptLately
from mfcc_assets.web.kept_links import KeptLinks
from mfcc_assets.web.renewed import Renewed

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair

_NAME = "mfcc"
_PICTURE_BYTES = 48 << 20
_PAIRS = 32
_HEALTH_SECONDS = 60.0
_HEAVY_AT_ONCE, _HEAVY_WAITING = 2, 8
"""Requests that do heavy work at once, and those that wait for it. The server has more threads than both together."""


@dataclass(frozen=True)
class Site:
    """What all requests of one app share.

    Attributes
    ----------
    library
        The library that the pages show.
    pictures
        Pictures that were shown lately, such as artwork of a certain size.
    pairs
        Explanations that were shown lately. A page and its picture need the same one.
    health
        Figures of the health of the library.
    heavy
        Bounds the work of requests that keeps a processor busy for seconds.
    """

    library: Library
    pictures: KeptLately[bytes] = field(default_factory=lambda: KeptLately(_PICTURE_BYTES, len))
    pairs: "KeptLately[ExplainedPair]" = field(default_factory=lambda: KeptLately(_PAIRS, lambda _: 1))
    health: Renewed[HealthFigures] = field(default_factory=lambda: Renewed(_HEALTH_SECONDS))
    heavy: HeavyWork = field(default_factory=lambda: HeavyWork(_HEAVY_AT_ONCE, _HEAVY_WAITING))

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
