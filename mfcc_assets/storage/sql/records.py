"""Records of the database, with one class per kind of row."""

from dataclasses import dataclass
from datetime import datetime

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import AudioId, QueryId, TrackId, track_id


@dataclass(frozen=True)
class Observed:
    """Properties of a soundtrack's file, before its audio is analysed.

    The content digest may be what `mfcc_assets.ids.unread_digest` returns: the analysis reads the bytes. The id of a
    soundtrack is made from its first name, and then stays. `known_as` is this id. None stands for the id that the
    present name gives.
    """

    blob_name: str
    etag: str
    bytes: int
    content_digest: str
    tags: Tags
    artwork: str
    known_as: TrackId | None = None

    @property
    def track_id(self) -> TrackId:
        return self.known_as or track_id(self.blob_name)


@dataclass(frozen=True)
class KnownFile:
    """What the catalogue knows of the file of a soundtrack."""

    track_id: TrackId
    blob_name: str
    etag: str
    bytes: int
    content_digest: str
    audio_id: AudioId | None
    observed_at: datetime


@dataclass(frozen=True)
class SkippedFile:
    """A file in the container `soundtracks` that is no music by its content."""

    blob_name: str
    etag: str
    kind: str

    @property
    def key(self) -> TrackId:
        return track_id(self.blob_name)


@dataclass(frozen=True)
class AudioContent:
    """The audio that the bytes of a file hold."""

    content_digest: str
    audio_id: AudioId
    seconds: float
    note: str


@dataclass(frozen=True)
class Soundtrack:
    """A row of SOUNDTRACKS."""

    track_id: TrackId
    blob_name: str
    bytes: int
    content_digest: str
    title: str
    artist: str
    album: str
    genre: str
    artwork: str
    audio_id: AudioId | None
    analysed_digest: str | None
    seconds: float | None
    note: str
    album_artist: str = ""
    artists: tuple[str, ...] = ()
    disc_number: int | None = None
    tags_note: str = ""
    track_number: int | None = None
    year: int | None = None
    added_at: datetime | None = None
    recording_mbid: str = ""
    release_mbid: str = ""
    artist_mbids: tuple[str, ...] = ()

    @property
    def display_title(self) -> str:
        """The title, or the name of the blob if there is no title."""
        return self.title or self.blob_name

    @property
    def display_name(self) -> str:
        """The title with its artist, such as "Ocean by Will Savino"."""
        return f"{self.display_title} by {self.artist}" if self.artist else self.display_title

    @property
    def every_note(self) -> str:
        """The notes on the audio and on the tags, as one text."""
        return "; ".join(filter(None, (self.note, self.tags_note)))

    @property
    def is_waiting(self) -> bool:
        """True if the bytes of the file were not examined yet."""
        return self.analysed_digest != self.content_digest and not self.is_rejected

    @property
    def is_rejected(self) -> bool:
        """True if the audio cannot be used. The note says why."""
        return self.audio_id is None and bool(self.note)

    @property
    def state(self) -> str:
        """``analysed``, ``rejected`` or ``waiting``."""
        if self.is_rejected:
            return "rejected"
        return "waiting" if self.is_waiting else "analysed"


@dataclass(frozen=True)
class Totals:
    """The number of soundtracks, and the length of their audio together in seconds, as far as it is known."""

    tracks: int
    seconds: float

    def __add__(self, others: "Totals") -> "Totals":
        return Totals(self.tracks + others.tracks, self.seconds + others.seconds)


@dataclass(frozen=True)
class ListedArtist:
    """An artist of the library. `track_id` is one of the soundtracks, for their artwork."""

    name: str
    totals: Totals
    track_id: TrackId


@dataclass(frozen=True)
class ListedAlbum:
    """An album of the library.

    Attributes
    ----------
    album_id
        Text that stands for the album in a `TrackFilter`. It is safe in the address of a page.
    artist
        The album artist or the only artist. Empty if several artists share the album.
    year
        The last year that its soundtracks name.
    track_id
        One of the soundtracks, for their artwork.
    """

    album_id: str
    title: str
    artist: str
    year: int | None
    totals: Totals
    track_id: TrackId


@dataclass(frozen=True)
class ListedGenre:
    """A genre of the library."""

    name: str
    totals: Totals


@dataclass(frozen=True)
class ListedYear:
    """A year from which the library has soundtracks."""

    year: int
    totals: Totals


@dataclass(frozen=True)
class PlayerArtist:
    """An artist, as `mfcc_assets.storage.sql.player_lists` lists them.

    Attributes
    ----------
    artist_id
        Id that stays as long as the artist is spelled in the same way.
    name
        Name; empty for the artist of all soundtracks without a named artist.
    totals
        Number and length of the songs.
    albums
        Number of the albums.
    track_id
        One of the songs, for the artwork.
    """

    artist_id: str
    name: str
    totals: Totals
    albums: int
    track_id: TrackId


@dataclass(frozen=True)
class PlayerAlbum:
    """An album, as `mfcc_assets.storage.sql.player_lists` lists them.

    Attributes
    ----------
    album_id
        Id that stays as long as the album and its artist are spelled in the same way.
    title
        Title; empty for the songs of an artist that are on no album.
    artist, artist_id
        The album artist or the only artist. Empty if several artists share the album.
    year, genre
        The last year and a genre that its songs name; None and empty if they name none.
    totals
        Number and length of its songs.
    added_at
        When the first of its songs came into the library.
    track_id
        One of its songs, for the artwork.
    release_mbid
        MusicBrainz's id of the release; empty if its songs name none, or several.
    """

    album_id: str
    title: str
    artist: str
    artist_id: str
    year: int | None
    genre: str
    totals: Totals
    added_at: datetime
    track_id: TrackId
    release_mbid: str = ""


@dataclass(frozen=True)
class PlayerGenre:
    """A genre, with the number of its songs and of the albums that have one of them."""

    name: str
    songs: int
    albums: int


@dataclass(frozen=True, slots=True)
class Credit:
    """The credits of a soundtrack, from its tags and its name, and its size and length.

    See `mfcc_assets.credits` for how credits are compared.
    """

    track_id: TrackId
    artist: str = ""
    album: str = ""
    artists: tuple[str, ...] = ()
    album_artist: str = ""
    blob_name: str = ""
    bytes: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class Reject:
    """A file that cannot be used, and the reason. The subject is its track id or upload id."""

    subject_id: QueryId
    container: str
    blob_name: str
    code: str
    reason: str


@dataclass(frozen=True)
class Recommendation:
    """A recommended track in the list of a query."""

    rank: int
    track_id: TrackId
    distance: float


@dataclass(frozen=True)
class RecommendedSoundtrack:
    """A row of the view RECOMMENDED_SOUNDTRACKS."""

    query_id: QueryId
    rank: int
    track_id: TrackId
    title: str
    artist: str
    album: str
    seconds: float | None
    blob_name: str
    artwork: str
    distance: float
    method: str
    index_version: str
