"""Choose and sort soundtracks and rejects for a listing."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Reject, Soundtrack
from mfcc_assets.texts import folded

STATES = ("analysed", "waiting", "rejected")
"""States of a soundtrack, as `mfcc_assets.storage.sql.records.Soundtrack.state` returns them."""

_Key = tuple[str | float, ...]

ORDERS: Mapping[str, Callable[[Soundtrack], _Key]] = {
    "file": lambda track: (_alphabetical(track.blob_name),),
    "title": lambda track: (_alphabetical(track.display_title),),
    "artist": lambda track: (_alphabetical(track.artist), _alphabetical(track.album), *_place(track)),
    "album": lambda track: (_alphabetical(track.album), *_place(track)),
    "length": lambda track: (track.seconds or 0.0,),
    "state": lambda track: (STATES.index(track.state),),
}
"""Orders in which soundtracks can be listed. Soundtracks that are equal in an order follow each other by file."""


def list_soundtracks(
    library: Library,
    *,
    search: str = "",
    artist: str = "",
    album: str = "",
    state: str | None = None,
    order: str = "file",
    descending: bool = False,
) -> list[Soundtrack]:
    """Return the soundtracks that match everything that is asked for. Case, width and Unicode form do not matter.

    Parameters
    ----------
    library
        The library.
    search
        Words that must all occur in the title, the artists, the album, the genre or the name of the file.
    artist, album
        Parts of the name of an artist, or of the artist of the album, and of the name of the album.
    state
        One of `STATES`; None for all.
    order
        One of `ORDERS`.
    descending
        Whether the order is reversed.
    """
    words, wanted_artist, wanted_album = folded(search).split(), folded(artist), folded(album)
    found = [
        track
        for track in library.catalogue.soundtracks()
        if state in (None, track.state)
        and wanted_artist in folded("\n".join((track.artist, *track.artists, track.album_artist)))
        and wanted_album in folded(track.album)
        and _has_words(_texts(track), words)
    ]
    return sorted(found, key=ORDERS[order], reverse=descending)


def list_rejects(library: Library, *, search: str = "") -> list[Reject]:
    """Return the rejected files, also of uploads, with all these words in the name or the reason."""
    words = folded(search).split()
    return [reject for reject in library.catalogue.rejects() if _has_words((reject.blob_name, reject.reason), words)]


def _texts(track: Soundtrack) -> tuple[str, ...]:
    names = (track.title, track.artist, *track.artists, track.album_artist, track.album, track.genre)
    return (*names, track.blob_name)


def _has_words(texts: Sequence[str], words: Sequence[str]) -> bool:
    text = folded("\n".join(texts)) if words else ""
    return all(word in text for word in words)


def _place(track: Soundtrack) -> _Key:
    """Return the place of a track in its album: its disc, its number, and the name of its file."""
    return (track.disc_number or 0, track.track_number or 0, _alphabetical(track.blob_name))


def _alphabetical(text: str) -> str:
    """Return a text by which names can be sorted: without regard to case and accents."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", folded(text)) if not unicodedata.combining(letter)
    )
