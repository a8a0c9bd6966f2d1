"""A track as lists of the pages show it, and as the player takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable

SMALL_ARTWORK = 128
"""Side of the artwork in lists, in pixels: twice the size at which it is shown, for dense screens."""


@dataclass(frozen=True)
class Card:
    """A track as lists show it.

    Attributes
    ----------
    track_id
        Track id, or upload id.
    title, artist, album
        Its names as they can safely be shown. The title is never empty; the others are if nobody knows them.
    year, seconds
        Year of the release and length; None if they are not known.
    page
        Address of its page; empty if it has none.
    audio, artwork, waveform
        Addresses of its audio, its small artwork and its waveform; empty if there is none.
    nearness
        How near it is to the track that the list belongs to; None if that is not known, or the list belongs to none.
    distance
        Distance from that track.
    why
        Address of the page that says why it is near; empty if there is none.
    """

    track_id: str
    title: str
    artist: str = ""
    album: str = ""
    year: int | None = None
    seconds: float | None = None
    page: str = ""
    audio: str = ""
    artwork: str = ""
    waveform: str = ""
    nearness: Nearness | None = None
    distance: float | None = None
    why: str = ""

    @cached_property
    def for_player(self) -> Mapping[str, str]:
        """What the player needs, for the attribute ``data-track``."""
        return {
            "id": self.track_id,
            "title": self.title,
            "artist": self.artist,
            "audio": self.audio,
            "artwork": self.artwork,
            "waveform": self.waveform,
            "page": self.page,
        }


def card_of(
    track: Soundtrack, *, nearness: Nearness | None = None, distance: float | None = None, why: str = "", base: str = ""
) -> Card:
    """Return the card of a soundtrack.

    Parameters
    ----------
    track
        The soundtrack.
    nearness, distance, why
        As in `Card`.
    base
        Beginning of the addresses of its audio, its artwork and its waveform, such as that of a shared answer, which
        is seen without a log-in.

    Examples
    --------
    >>> from mfcc_assets.storage.sql.records import Soundtrack
    >>> track = Soundtrack("0f", "a/ocean.mp3", 1, "", "", "Zoë", "", "", "", None, None, None, "")
    >>> card_of(track).title, card_of(track).audio
    ('a/ocean.mp3', '/tracks/0f/audio')
    """
    page = f"/tracks/{track.track_id}"
    files = f"{base}{page}"
    return Card(
        track_id=track.track_id,
        title=printable(track.display_title),
        artist=printable(track.artist),
        album=printable(track.album),
        year=track.year,
        seconds=track.seconds,
        page=page,
        audio=f"{files}/audio",
        artwork=f"{files}/artwork?size={SMALL_ARTWORK}",
        waveform=f"{files}/waveform",
        nearness=nearness,
        distance=distance,
        why=why,
    )
