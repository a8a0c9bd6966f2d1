"""The records that `mfcc_assets.music_library` returns to programs and notebooks."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Track:
    """A track of the library.

    Attributes
    ----------
    track_id
        Its id, which stays when its file is renamed or retagged.
    title
        Its title, or the name of its file if it has none.
    artist, album
        Its artist and album. A tag that is not known is empty.
    seconds
        Length of its audio, or None if it was not analysed yet.
    path
        Its file on this machine, or None if the library lies in Azure.
    recording_mbid
        The id of MusicBrainz for its recording, if its tags have it.
    """

    track_id: str
    title: str
    artist: str
    album: str
    seconds: float | None
    path: Path | None
    recording_mbid: str

    def __str__(self) -> str:
        """Return its title and its artist, such as "Palace by Will Savino"."""
        return f"{self.title} by {self.artist}" if self.artist else self.title


@dataclass(frozen=True)
class NearTrack:
    """A track of the library, and how near it is to another one or to a file.

    Attributes
    ----------
    track
        The track.
    distance
        Distance by the ranking of the library. It has no unit, and is comparable within one index only.
    closer_than
        Share of the random pairs of the library that are farther apart, 0 to 1. It is None if the library is too small
        to say it.
    nearness
        This share in words: very near, near, fairly near, not near or far. It is empty if the share is None.
    """

    track: Track
    distance: float
    closer_than: float | None
    nearness: str

    def __str__(self) -> str:
        """Return its name and its nearness, such as "Palace by Will Savino (fairly near)"."""
        return f"{self.track} ({self.nearness})" if self.nearness else str(self.track)


@dataclass(frozen=True)
class Recommendations:
    """The answer to a file.

    Attributes
    ----------
    title, artist
        The recording that the file was recognised as. Both are empty if it was not recognised.
    recognised_by
        What recognised it: ``library``, ``tags``, or the name of a service. It is empty if nothing did.
    tracks
        The recommended tracks, the best one first.
    index_version
        Version of the index that was searched.
    """

    title: str
    artist: str
    recognised_by: str
    tracks: tuple[NearTrack, ...]
    index_version: str


@dataclass(frozen=True)
class Coefficient:
    """The part of one cepstral coefficient in the distance of a pair by dynamic time warping.

    Attributes
    ----------
    name
        COE_1, COE_2, … for the coefficients of the band that every usual coding keeps.
    stands_for
        Level, brightness, broad shape, or fine shape.
    share
        Share of the distance. The shares of all coefficients add up to 1.
    """

    name: str
    stands_for: str
    share: float


@dataclass(frozen=True)
class Stretch:
    """A stretch of one track that sounds like a stretch of another one.

    Attributes
    ----------
    a_start, a_end, b_start, b_end
        Its beginning and its end in each file, in seconds.
    closer_than
        Share of the random moments of the library that sound less alike, 0 to 1.
    """

    a_start: float
    a_end: float
    b_start: float
    b_end: float
    closer_than: float


@dataclass(frozen=True)
class Explanation:
    """Why a track of the library is near to another one, or to a file.

    Attributes
    ----------
    sentences
        What a listener may want to know, in English. Every sentence is true by the figures.
    distance, closer_than, nearness
        As `NearTrack` has them.
    coefficients
        Parts of the coefficients, COE_1 first.
    stretches
        Stretches that sound alike, the best one first.
    """

    sentences: tuple[str, ...]
    distance: float
    closer_than: float | None
    nearness: str
    coefficients: tuple[Coefficient, ...]
    stretches: tuple[Stretch, ...]
