"""Paths and playlists as programs get them."""

from typing import Annotated, Self

from pydantic import Field

from mfcc_assets.pipeline.playlists import Playlist
from mfcc_assets.web.api.asking import WRITTEN
from mfcc_assets.web.api.models import Model, Share, TrackIdText, VersionText
from mfcc_assets.web.api.track_models import NearnessWord, Track
from mfcc_assets.web.cards import card_of


class PathQuery(Model):
    """Which path is asked for."""

    start: TrackIdText = Field(alias="from", description="Track id of the beginning")
    end: TrackIdText = Field(alias="to", description="Track id of the end")
    steps: Annotated[int, Field(ge=2, le=30), WRITTEN] = Field(
        8, description="Number of tracks with both ends", examples=[8]
    )


class PlaylistQuery(Model):
    """Which playlist is asked for."""

    seed: list[TrackIdText] = Field(
        min_length=1, max_length=12, description="Track ids to begin from", examples=[["0f5a8c3e71d2b964"]]
    )
    count: Annotated[int, Field(ge=1, le=100), WRITTEN] = Field(20, description="Number of tracks", examples=[20])


class Step(Model):
    """A track of a mix, and how near it is to the one before it."""

    track: Track
    distance: float | None = Field(description="Null for the first track", examples=[0.231])
    closer_than: Share | None = Field(description="Null for the first track, and in a small library")
    nearness: NearnessWord | None


class Mix(Model):
    """Tracks in the order in which they should be heard."""

    index_version: VersionText
    items: list[Step]

    @classmethod
    def of(cls, made: Playlist) -> Self:
        """Return a playlist or a path."""
        before = zip(made.soundtracks, [None, *made.distances], [None, *made.nearness], strict=False)
        return cls(
            index_version=made.index_version,
            items=[
                Step(
                    track=Track.of(card_of(track)),
                    distance=distance,
                    closer_than=nearness.closer_than if nearness else None,
                    nearness=nearness.word if nearness else None,
                )
                for track, distance, nearness in before
            ],
        )
