"""The texts by which the pages of a library sort, filter and search its soundtracks, as the database keeps them.

Databases sort texts by rules of their own. So each order has a text that sorts by its code points as the order wants:
its parts are folded, and numbers have a fixed number of digits. What is missing sorts last.

To change a text, also write a migration that makes it anew for the rows that are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from mfcc_assets.audio.tags import Tags
from mfcc_assets.credits import ArtistNames, Credited, Credits, albums_of
from mfcc_assets.storage.sql.rows import fitting
from mfcc_assets.storage.sql.schema import LONGEST_KEY, LONGEST_LIST
from mfcc_assets.texts import folded, printable, unaccented

# These sort before every character that a folded text has.
_BETWEEN_PARTS = "\x1e"
_BEFORE_ACCENTS = "\x1f"

# This sorts after them, apart from emoji. Tags never hold it.
_MISSING = "\uffff"

_LONGEST_WORD = 255
_MOST_WORDS = 10
_LARGEST_YEAR = 9999
_LARGEST_NUMBER = 99_999


@dataclass(frozen=True)
class BrowseKeys:
    """The texts of one soundtrack. Each field is a column of SOUNDTRACKS.

    Attributes
    ----------
    by_title, by_artist, by_album, by_year
        Texts that sort as these orders do: within an album by disc and track number, and the last year first.
    artist_key, album_key
        Artist and album as the lists of a library tell them apart. Empty without a name.
    genre_keys
        The genres, each between two separators, so that one of them can be looked for.
    search_text
        Title, artists and album, in which a search looks for words. The name of the file stands for a missing title.
    """

    by_title: str
    by_artist: str
    by_album: str
    by_year: str
    artist_key: str
    album_key: str
    genre_keys: str
    search_text: str


def browse_keys(tags: Tags, blob_name: str) -> BrowseKeys:
    """Return the texts by which a soundtrack with these tags and this name is sorted, filtered and searched."""
    track = Credits(tags.artist, tags.artists, tags.album, tags.album_artist, blob_name)
    names = ArtistNames([track]).of(track)
    title = tags.title or blob_name
    titled, artist, album = _sorted_as(title), _artist_key(names), _album_key(track, names)
    place = _number(tags.disc_number), _number(tags.track_number), titled
    year = None if tags.year is None else _LARGEST_YEAR - min(max(tags.year, 0), _LARGEST_YEAR)
    words = title, tags.artist, *tags.artists, tags.album, tags.album_artist
    genres = [has_genre(genre) for genre in genres_of(tags.genre)]
    return BrowseKeys(
        by_title=_fitting_key(_joined(titled, artist, album)),
        by_artist=_fitting_key(_joined(artist, album, *place)),
        by_album=_fitting_key(_joined(album, *place)),
        by_year=_fitting_key(_joined(_number(year), album, *place)),
        artist_key=artist,
        album_key=album,
        genre_keys=_fitting_key("".join(genres)),
        search_text=fitting(unaccented("\n".join(words)), LONGEST_LIST),
    )


def artist_key(name: str) -> str:
    """Return the first artist that a credit names as artists are compared and sorted, or an empty text.

    Examples
    --------
    >>> artist_key("The Beatles"), artist_key("beatles feat. Billy Preston"), artist_key("Unknown Artist")
    ('beatles', 'beatles', '')
    """
    return artist_key_of(Credits(name))


def artist_key_of(track: Credited) -> str:
    """Return the first artist of a track as artists are compared and sorted, or an empty text."""
    return _artist_key(ArtistNames([track]).of(track))


def artist_words(search: str) -> list[str]:
    """Return the words that the key of an artist contains if a search for its name finds it.

    Examples
    --------
    >>> artist_words("The Mamas & the Papas"), artist_words("unknown")
    (['mamas', 'and', 'the', 'papas'], ['unknown'])
    """
    return words_of_key(artist_key(printable(search))) or search_words(search)


def words_of_key(key: str) -> list[str]:
    """Return the words of the key of an artist, without accents, of a long one the first 10."""
    return key.partition(_BEFORE_ACCENTS)[0].split()[:_MOST_WORDS]


def album_key(track: Credited) -> str:
    """Return the album of a track with its artist or folder, or an empty text. See `mfcc_assets.credits.albums_of`."""
    return _album_key(track, ArtistNames([track]).of(track))


def genre_key(genre: str) -> str:
    """Return a genre as genres are compared and sorted."""
    return _sorted_as(genre)


def has_genre(genre: str) -> str:
    """Return the text that the genre keys of a soundtrack contain if it has this genre."""
    return f"{_BETWEEN_PARTS}{genre_key(genre)}{_BETWEEN_PARTS}"


def genres_of(genre: str) -> list[str]:
    """Return the single genres of a tag, each once.

    Examples
    --------
    >>> genres_of("Rock, Pop; rock")
    ['Rock', 'Pop']
    """
    found: dict[str, str] = {}
    for name in genre.replace(";", ",").split(","):
        found.setdefault(folded(name), name.strip())
    return [name for key, name in found.items() if key]


def search_words(search: str) -> list[str]:
    """Return the words that the search text of a soundtrack contains if it is found, of a long search the first 10."""
    return [word[:_LONGEST_WORD] for word in unaccented(printable(search)).split()[:_MOST_WORDS]]


def _artist_key(names: Sequence[str]) -> str:
    return _fitting_key(_sorted_as(names[0])) if names else ""


def _album_key(track: Credited, names: Sequence[str]) -> str:
    title, owner = next(iter(albums_of(track, names)), ("", ""))
    return _fitting_key(_joined(_sorted_as(title), owner)) if title else ""


def _sorted_as(text: str) -> str:
    """Return a folded text. One with accents begins with the same text without them, and so sorts behind it."""
    plain, whole = unaccented(text), folded(text)
    return whole if plain == whole else f"{plain}{_BEFORE_ACCENTS}{whole}"


def _number(number: int | None) -> str:
    return _MISSING if number is None else f"{min(max(number, 0), _LARGEST_NUMBER):05d}"


def _joined(*parts: str) -> str:
    return _BETWEEN_PARTS.join(part or _MISSING for part in parts)


def _fitting_key(key: str) -> str:
    """Return a key, or the beginning of one that is too long with a digest of it, so that it stays a key of its own."""
    if _units(key) <= LONGEST_KEY:
        return key
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{fitting(key, LONGEST_KEY - len(digest) - 1)}{_BEFORE_ACCENTS}{digest}"


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
