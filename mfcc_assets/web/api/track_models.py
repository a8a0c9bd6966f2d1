"""Tracks, lists of the library, neighbours and explanations as programs get them."""

from typing import Annotated, Literal, Self

from pydantic import Field

from mfcc_assets.pipeline.explain import ExplainedPair
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.sql.browse_keys import genres_of
from mfcc_assets.storage.sql.browsing import album_id_of
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.api.asking import WRITTEN
from mfcc_assets.web.api.models import ListPage, Model, Seconds, Share, Text, Totals, TrackIdText, VersionText
from mfcc_assets.web.cards import Card, card_of

ALBUM_ID = "^[A-Za-z0-9_-]{1,3000}$"
_LONGEST_CURSOR = 3000
"""A server refuses an address of more than 4,000 characters."""

Cursor = Annotated[
    str,
    Field(
        pattern=f"^[A-Za-z0-9_-]{{1,{_LONGEST_CURSOR}}}$",
        description="`after` of the page before it; the first page without it",
    ),
]
Limit = Annotated[int, Field(ge=1, le=200, description="Largest number of items", examples=[50]), WRITTEN]
Word = Annotated[str, Field(max_length=200)]
NearnessWord = Annotated[Text, Field(description="The nearness in words", examples=["very near"])]
Year = Annotated[int, Field(examples=[2019])]


class Track(Model):
    """A track of the library."""

    track_id: TrackIdText
    title: Text = Field(description="Title, or the name of the file if it has none", examples=["Ocean"])
    artist: Text = Field(description="Empty if nobody knows it", examples=["Will Savino"])
    album: Text = Field(description="Empty if nobody knows it", examples=["Music d20"])
    year: Year | None
    seconds: Seconds | None
    page: str = Field(description="Address of its page", examples=["/tracks/0f5a8c3e71d2b964"])
    audio: str = Field(
        description="Address of its audio, which never ends", examples=["/tracks/0f5a8c3e71d2b964/audio"]
    )
    artwork: str = Field(description="Address of its artwork", examples=["/tracks/0f5a8c3e71d2b964/artwork?size=128"])

    @classmethod
    def of(cls, card: Card) -> Self:
        """Return a track, given the card that pages show."""
        return cls(**{name: getattr(card, name) for name in Track.model_fields})


class TrackDetails(Track):
    """Everything that the library knows of a track."""

    album_artist: Text = Field(examples=["Will Savino"])
    artists: list[Text] = Field(examples=[["Will Savino"]])
    album_id: str = Field(
        description="For the filter `album`; empty if it is on no album", examples=["WyJtdXNpYyBkMjAiXQ"]
    )
    genres: list[Text] = Field(examples=[["Fantasy"]])
    track_number: int | None = Field(examples=[3])
    disc_number: int | None = Field(examples=[1])
    state: Literal["analysed", "rejected", "waiting"] = Field(examples=["analysed"])
    note: Text = Field(description="What is remarkable about the file or its tags", examples=[""])
    added_at: str | None = Field(
        description="Time at which it came into the library", examples=["2026-11-01T12:00:00+00:00"]
    )

    @classmethod
    def of_soundtrack(cls, track: Soundtrack) -> Self:
        """Return all that is known of a soundtrack."""
        card = card_of(track)
        return cls.model_validate(
            {
                **{name: getattr(card, name) for name in Track.model_fields},
                "album_artist": track.album_artist,
                "artists": list(track.artists),
                "album_id": album_id_of(track),
                "genres": genres_of(track.genre),
                "track_number": track.track_number,
                "disc_number": track.disc_number,
                "state": track.state,
                "note": track.every_note,
                "added_at": track.added_at.isoformat() if track.added_at else None,
            }
        )


class TracksQuery(Model):
    """Which tracks are asked for."""

    search: Word = Field("", description="Words of the title, the artists or the album", examples=["ocean"])
    artist: Word = Field("", description="Name of the first artist")
    album: Annotated[str, Field(pattern=ALBUM_ID)] | None = Field(None, description="`album_id` of an album")
    genre: Word = Field("", description="One of the genres")
    year: Annotated[int, Field(ge=0, le=9999), WRITTEN] | None = Field(None, description="Year of the release")
    sort: Literal["title", "artist", "album", "year", "newest"] = Field("title", description="Order of the list")
    limit: Limit = 50
    after: Cursor | None = None


class PageQuery(Model):
    """Which page of a list is asked for."""

    limit: Limit = 50
    after: Cursor | None = None


class AlbumsQuery(PageQuery):
    """Which albums are asked for."""

    artist: Word = Field("", description="Name of an artist, whose albums are listed")


class TrackPage(ListPage):
    """A page of tracks."""

    items: list[Track]
    totals: Totals = Field(description="Number and length of all tracks of the list")


class Artist(Model):
    """An artist of the library."""

    name: Text = Field(examples=["Will Savino"])
    totals: Totals


class ArtistPage(ListPage):
    """A page of artists."""

    items: list[Artist]


class Album(Model):
    """An album of the library."""

    album_id: str = Field(description="For the filter `album` of tracks", examples=["WyJtdXNpYyBkMjAiXQ"])
    title: Text = Field(examples=["Music d20"])
    artist: Text = Field(description="Empty if several artists share the album", examples=["Will Savino"])
    year: Year | None
    totals: Totals


class AlbumPage(ListPage):
    """A page of albums."""

    items: list[Album]


class Genre(Model):
    """A genre of the library."""

    name: Text = Field(examples=["Fantasy"])
    totals: Totals


class GenrePage(ListPage):
    """A page of genres."""

    items: list[Genre]


class ListedYear(Model):
    """A year from which the library has tracks."""

    year: Year
    totals: Totals


class YearPage(ListPage):
    """A page of years."""

    items: list[ListedYear]


class NeighboursQuery(Model):
    """How many neighbours are asked for."""

    count: Annotated[int, Field(ge=1, le=160), WRITTEN] = Field(10, description="Number of neighbours", examples=[5])


class Near(Model):
    """A track that is near to another one."""

    track: Track
    distance: float = Field(description="Distance by the ranking of the index; smaller is nearer", examples=[0.231])
    closer_than: Share | None = Field(
        description="Share of random pairs of the library that are farther apart; null in a small library"
    )
    nearness: NearnessWord | None

    @classmethod
    def of_track(cls, card: Card, distance: float, nearness: Nearness | None) -> Self:
        """Return a track with its distance."""
        closer_than, word = (nearness.closer_than, nearness.word) if nearness else (None, None)
        return cls(track=Track.of(card), distance=distance, closer_than=closer_than, nearness=word)


class Neighbours(Model):
    """The tracks that are nearest to a track, the nearest recommendations first."""

    index_version: VersionText
    ranking: str = Field(examples=["fused"])
    items: list[Near]


class PairedTrack(Model):
    """One of the two tracks of a pair."""

    track_id: str = Field(description="Track id, or upload id", examples=["0f5a8c3e71d2b964"])
    title: Text = Field(examples=["Ocean"])
    artist: Text = Field(examples=["Will Savino"])
    seconds: Seconds | None
    words: list[Text] = Field(description="How it sounds, compared with the library", examples=[["dark", "calm"]])


class Stretch(Model):
    """A stretch of one track that sounds like a stretch of the other, in seconds from the beginning of each file."""

    a_start: float = Field(examples=[12.5])
    a_end: float = Field(examples=[21.0])
    b_start: float = Field(examples=[40.0])
    b_end: float = Field(examples=[48.5])
    difference: float = Field(description="In standard deviations over the library", examples=[0.42])
    closer_than: Share


class Control(Model):
    """The distance by dynamic time warping, compared with random pairs of the library."""

    random_pairs: int = Field(ge=0, examples=[400])
    closer_than: Share
    ratio: float | None = Field(description="The distance, divided by the median of random pairs", examples=[0.71])


class Coefficient(Model):
    """The part of one cepstral coefficient in the distance by dynamic time warping."""

    name: str = Field(examples=["COE_2"])
    stands_for: Text = Field(examples=["brightness"])
    description: Text = Field(examples=["more low or more high frequencies"])
    share: Share
    closer_than: Share


class Why(Model):
    """Why two tracks are near to each other."""

    sentences: list[Text] = Field(description="What a listener may want to know", examples=[["Both are dark."]])
    index_version: VersionText
    ranking: str = Field(examples=["fused"])
    ranked_distance: float = Field(description="Distance by the ranking", examples=[0.231])
    closer_than: Share | None
    nearness: NearnessWord | None
    parts: dict[str, float] = Field(
        description="Distance by each part of the ranking, in standard deviations", examples=[{"gaussian": -1.9}]
    )
    a: PairedTrack
    b: PairedTrack
    distance: float = Field(description="Distance by dynamic time warping, as it was published", examples=[9.87])
    control: Control
    coefficients: list[Coefficient]
    stretches: list[Stretch] = Field(description="Stretches that sound alike, best first")
    path: list[tuple[float, float]] = Field(
        description="Seconds of both files that are aligned", examples=[[[0.0, 0.0], [0.5, 1.0]]]
    )

    @classmethod
    def of(cls, pair: ExplainedPair) -> Self:
        """Return an explained pair."""
        return cls.model_validate(pair.record(), strict=False)
