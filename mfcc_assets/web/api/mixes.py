"""Paths and playlists for programs."""

from mfcc_assets.pipeline.playlists import path_between, playlist_from
from mfcc_assets.web.api.mix_models import Mix, PathQuery, PlaylistQuery
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.library.found import track_or_404
from mfcc_assets.web.site import site

_TAG = "mixes"


@api.get("/api/v1/path", tag=_TAG, query=PathQuery, answer=Mix, problems=(404, 409))
def find_path(query: PathQuery) -> Mix:
    """Find a path from one track to another. Each track of it sounds like the one before it."""
    ends = track_or_404(query.start), track_or_404(query.end)
    with site().heavy.turn():
        return Mix.of(path_between(site().library, site().published.opened(), *ends, steps=query.steps))


@api.get("/api/v1/playlist", tag=_TAG, query=PlaylistQuery, answer=Mix, problems=(404, 409))
def make_playlist(query: PlaylistQuery) -> Mix:
    """Make a playlist of tracks that go with several seeds. The seeds themselves are not on it."""
    seeds = [track_or_404(seed) for seed in dict.fromkeys(query.seed)]
    with site().heavy.turn():
        return Mix.of(playlist_from(site().library, site().published.opened(), seeds, count=query.count))
