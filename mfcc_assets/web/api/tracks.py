"""A track for programs: what is known of it, its neighbours, and why another track is near."""

from mfcc_assets.pipeline.neighbours import neighbours
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.track_models import Near, Neighbours, NeighboursQuery, TrackDetails, Why
from mfcc_assets.web.cards import card_of
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.library.tracks import explained
from mfcc_assets.web.site import site

_TAG = "tracks"


@api.get("/api/v1/tracks/{track_id}", tag=_TAG, answer=TrackDetails)
def get_track(track_id: str) -> TrackDetails:
    """Get everything that the library knows of a track."""
    return TrackDetails.of_soundtrack(track_or_404(track_id))


@api.get("/api/v1/tracks/{track_id}/neighbours", tag=_TAG, query=NeighboursQuery, answer=Neighbours, problems=(409,))
def list_neighbours(track_id: str, query: NeighboursQuery) -> Neighbours:
    """List the tracks that sound most like a track.

    The first ones are its recommendations. A track that is not in the index yet has none, which is a conflict.
    """
    track, opened = track_or_404(track_id), site().published.opened()
    with site().heavy.turn():
        found = neighbours(site().library, opened, track, count=query.count)
    return Neighbours(
        index_version=opened.index.version,
        ranking=opened.index.parameters.ranking,
        items=[Near.of_track(card_of(each.track), each.distance, each.nearness) for each in found],
    )


@api.get("/api/v1/tracks/{track_id}/why/{other_id}", tag=_TAG, answer=Why, problems=(409,))
def explain_tracks(track_id: str, other_id: str) -> Why:
    """Explain why two tracks are near to each other."""
    track, other = track_or_404(track_id), track_or_404(other_id)
    return Why.of(explained(site().published.opened().index, track, other))
