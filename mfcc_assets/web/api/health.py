"""The health of the library for programs."""

from mfcc_assets.web.api.index_models import Health, Hub
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.track_models import Track
from mfcc_assets.web.cards import card_of
from mfcc_assets.web.library.health import present_figures


@api.get("/api/v1/health", tag="health", answer=Health)
def get_health() -> Health:
    """Get what the library holds, and what is wrong with it. The figures are up to a minute old."""
    figures, index, _ = present_figures()
    return Health(
        index_version=index.version if index else None,
        tracks=figures.count,
        seconds=figures.seconds,
        states=dict(figures.states),
        rejects=figures.reject_count,
        duplicates=figures.duplicate_count,
        orphans=figures.orphan_count,
        hubs=[Hub(track=Track.of(card_of(track)), lists=count) for track, count in figures.hubs],
    )
