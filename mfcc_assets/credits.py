"""Who is one artist, and what is one album: how the credits in tags are compared.

The caps of the lists, the labels of the evaluation, the measured quality and the exports all follow these rules.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from mfcc_assets.placeholders import stands_for_no_name
from mfcc_assets.texts import folded


class Credited(Protocol):
    """A track with its credits. A text is empty if the tags do not name it."""

    @property
    def artist(self) -> str: ...
    @property
    def artists(self) -> Sequence[str]: ...
    @property
    def album(self) -> str: ...
    @property
    def album_artist(self) -> str: ...
    @property
    def blob_name(self) -> str: ...


@dataclass(frozen=True)
class Credits:
    """The credits of a track that is in no library."""

    artist: str
    artists: Sequence[str] = ()
    album: str = ""
    album_artist: str = ""
    blob_name: str = ""


def _keys(*lines: str) -> frozenset[str]:
    return frozenset(folded(name) for line in lines for name in line.split(","))


# Many artists have an album of this name. It never makes a compilation of several artists.
_COMMON_ALBUMS = _keys(
    "greatest hits, hits, greatest hits live, the greatest hits, all the hits, number ones, best, best of, the best",
    "the best of, very best of, the very best of, the essential, essential, essentials, the collection, collection",
    "anthology, the anthology, gold, platinum, classics, singles, the singles, the hits, the platinum collection",
    "the singles collection, the ultimate collection, the definitive collection, retrospective, ballads, favorites",
    "favourites, legends, icon, live, live album, in concert, live in concert, unplugged, mtv unplugged, acoustic",
    "bbc sessions, live at the bbc, the peel sessions, demo, demos, ep, the ep, the album, self-titled, mixtape",
    "the mixtape, remixes, remixed, covers, duets, instrumentals, rarities, b-sides, b-sides & rarities, christmas",
    "a christmas album, the christmas album, soundtrack, original soundtrack, ost, original motion picture soundtrack",
    "größte hits, die größten hits, das beste, lo mejor de, lo mejor, grandes éxitos, le meilleur de, le meilleur",
    "i grandi successi, o melhor de, лучшее, лучшие песни, ベスト",
)

_EDITION = re.compile(r"(?:[\s,:-]*(?:[(\[][^)\]]*[)\]]|\bvol(?:ume|\.)?\s*\w+|\b[ivx]+|\b[0-9]+))+$")
"""Ends the title of an album, for example ", Vol. 2" or " (Remastered)"."""

_GUEST_WORDS = (
    "feat|ft|featuring|(?:along |together |duet )?with|starring|hosted by|prod(?:uced)?(?:\\.? by|\\.)|part\\."
    "|при участии|при уч\\.|con la participación de"
)
_GUESTS = re.compile(rf"[(\[~〜 -]\s*(?:(?:{_GUEST_WORDS})(?:[.:]\s*|\s+)|[wf]/\s*)(?=\S)", re.IGNORECASE)
"""Begins the guests in the credit of an artist, such as " feat. " and " (with "."""

_BEFORE_GUESTS = " ,:~〜-"

_TOPIC = re.compile(r" - topic$")
"""Ends the name of the channel that YouTube makes for an artist."""

_LISTED = re.compile(r"\s*[;、]\s*")
_JOINING_WORDS = (
    "and|x|vs|versus|b2b|aka|a\\.k\\.a|meets|presents|pres|introducing|und|mit|et|avec|y|con|e|com|en|met|og|och|med|i|и"
    "|ja|ve|a|és|și|şi|та|και|ir|un|dan|và|と"
)
_JOINED = re.compile(rf"\s*[,،/&×✕✖·•・|\\]+\s*|\s+(?:\+|{_JOINING_WORDS})\.?\s+")
"""Stands between two artists, and within the names of many bands."""

_DISC_WORDS = r"(?:cd|disc|disk|disque|dvd|lp)"
_DISC_FOLDER = re.compile(rf"{_DISC_WORDS}[ ._#-]*(?:[0-9]{{1,3}}|[a-d]|i{{1,3}}|one|two|three|four)\b.*")
_DISC_SUFFIX = re.compile(
    rf"[\s,;:._-]*(?:[(\[]\s*{_DISC_WORDS}[ ._#-]*[0-9]{{1,3}}\b[^)\]]*[)\]]|\b{_DISC_WORDS}[ ._#-]*[0-9]{{1,3}})$"
)


@lru_cache(maxsize=2**16)
def is_placeholder(name: str) -> bool:
    """Return True if a text stands where a name should be, such as "Unknown Artist", "[unknown]" or "Track 01".

    An empty text is a placeholder too.

    Examples
    --------
    >>> [is_placeholder(name) for name in ("Various Artists", "<unknown>", "Verschiedene Interpreten", "Abba")]
    [True, True, True, False]
    """
    return stands_for_no_name(name)


def named(*names: str) -> str:
    """Return the first of several texts that is a name and no placeholder, or an empty text.

    Examples
    --------
    >>> named("Unknown Artist", "The Orchestra")
    'The Orchestra'
    """
    return next((name for name in names if not is_placeholder(name)), "")


@lru_cache(maxsize=2**16)
def compared_name(name: str) -> str:
    """Return an artist's name as it is compared with others, or an empty text for a placeholder.

    Case, width, Unicode form, the shape of apostrophes and hyphens, "&" for "and", and a leading "The" do not count.

    Examples
    --------
    >>> compared_name("The Mamas & the Papas") == compared_name("Mamas And The Papas")
    True
    """
    if is_placeholder(name):
        return ""
    key = re.sub(r"[‘’ʼ`´]", "'", re.sub(r"[‐‑‒–—]", "-", folded(name)))
    key = " ".join(re.sub(r"\s(?:&|\+)\s", " and ", f" {key} ").split())
    key = re.sub(r"^(.+), the$", r"\1", _TOPIC.sub("", key))
    return key.removeprefix("the ") or key


class ArtistNames:
    """The names under which the artists of tracks are compared.

    A credit counts for the whole name before "feat.", "ft.", "with" or a similar word, and for each value of a list. A
    name that is joined by "&", a comma, "/", "|", "x", "vs.", "presents" or "and" in several languages may be one band,
    or several artists. The whole name always counts. Its parts count too, but only those that are a whole name on
    another track. So "Simon & Garfunkel" and "Simon & Schuster" have nothing in common, unless there is a "Simon".

    Parameters
    ----------
    tracks
        All tracks whose names are compared with each other.

    Examples
    --------
    >>> duo, solo, band = Credits("Anna & Bo"), Credits("Anna"), Credits("Earth, Wind & Fire")
    >>> names = ArtistNames([duo, solo, band])
    >>> names.of(duo), names.of(band), names.of(Credits("Anna feat. Cy"))
    (('anna', 'anna and bo'), ('earth, wind and fire',), ('anna',))
    """

    def __init__(self, tracks: Iterable[Credited]) -> None:
        # Most tracks share their credits with others.
        self._known: dict[tuple[str, tuple[str, ...], str], tuple[str, ...]] = {}
        written = {credit for track in tracks for credit in _credits(track)}
        artists = {artist for credit in written for artist in _main_artists(credit)}
        self._whole = frozenset(map(compared_name, artists)) - {""}
        parts = [[compared_name(part) for part in _JOINED.split(artist)] for artist in artists]
        self._led = frozenset(frozenset(names) for names in parts if len(names) > 1 and names[0] in self._whole)

    def of(self, track: Credited) -> tuple[str, ...]:
        """Return the compared names of the main artists of a track, the first artist first. There may be none."""
        written = track.artist, tuple(track.artists), track.album_artist
        known = self._known.get(written)
        if known is None:
            every = (
                name for credit in _credits(track) for artist in _main_artists(credit) for name in self._names(artist)
            )
            known = self._known[written] = tuple(dict.fromkeys(filter(None, every)))
        return known

    def main(self, track: Credited) -> str:
        """Return the compared name of the first artist of a track, or an empty text if there is none."""
        return next(iter(self.of(track)), "")

    def _names(self, artist: str) -> list[str]:
        joints = list(_JOINED.finditer(artist))
        in_front = [artist[: joint.start()] for joint in joints[1:]]
        parts = [compared_name(part) for part in (*_JOINED.split(artist), *in_front)]
        known = [part for part in parts if part in self._whole]
        whole = compared_name(artist)
        # The same artists may be named in another order elsewhere, behind one who is known alone. So they are no band.
        is_led = parts[0] in self._whole or frozenset(parts[: len(joints) + 1]) in self._led
        return [*known, whole] if is_led else [whole, *known]


def albums_of(track: Credited, artist_names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the albums that a track counts for, the most certain first. There is none without an album's title.

    An album is its title together with its album artist. Without an album artist it is the title together with the
    folder, so that a compilation is one album, and also the title together with the artist. The discs of a box are one
    album. A title that many artists use, such as "Greatest Hits", is never a compilation of several artists.

    Parameters
    ----------
    track
        The track.
    artist_names
        Compared names of its artists, from `ArtistNames.of`.

    Returns
    -------
    tuple
        Pairs of the compared title and whose or where the album is.
    """
    title = _compared_title(track.album)
    if not title:
        return ()
    if album_artist := compared_name(track.album_artist):
        return ((title, album_artist),)
    owners = [artist_names[0]] if artist_names else []
    if not owners or not _is_common(title):
        name = track.blob_name.replace("\\", "/")
        owners.insert(0, f"{_album_folder(name[: name.rfind('/') + 1])}/")
    return tuple((title, owner) for owner in owners)


def first_artist(credit: str) -> str:
    """Return the first artist of a credit as it is written, without guests and further artists of a list.

    Examples
    --------
    >>> first_artist("Anna Feat. Cy"), first_artist("Bo; Cy"), first_artist("Simon & Garfunkel")
    ('Anna', 'Bo', 'Simon & Garfunkel')
    """
    main = _GUESTS.split(credit, maxsplit=1)[0].rstrip(_BEFORE_GUESTS)
    return _LISTED.split(main.strip())[0] or credit


def _credits(track: Credited) -> list[str]:
    """Return the credits of the artists of a track, or the artist of its album if there are none."""
    of_track = [credit for credit in track.artists or (track.artist,) if not is_placeholder(credit)]
    return of_track or list(filter(None, (named(track.artist, track.album_artist),)))


def _main_artists(credit: str) -> list[str]:
    """Return the artists of a credit that are no guests. What could be a name with a "with" in it counts as well."""
    credit = folded(credit)
    main, *guests = _GUESTS.split(credit, maxsplit=1)
    may_be_one_name = guests and " with " in credit
    if guests:
        main = main.rstrip(_BEFORE_GUESTS)
    return [*_LISTED.split(main.strip() or credit), *([credit] if may_be_one_name else [])]


@lru_cache(maxsize=2**16)
def _compared_title(album: str) -> str:
    """Return the title of an album as it is compared with others, or an empty text for a placeholder."""
    if is_placeholder(album):
        return ""
    title = folded(album)
    return _DISC_SUFFIX.sub("", title) or title


@lru_cache(maxsize=2**16)
def _is_common(album: str) -> bool:
    """Return True if many artists have an album of this title, such as "Greatest Hits, Vol. 2"."""
    return album in _COMMON_ALBUMS or _EDITION.sub("", album) in _COMMON_ALBUMS


@lru_cache(maxsize=2**16)
def _album_folder(folder: str) -> str:
    """Return the compared form of a folder, which ends in "/". Folders such as "CD2" are parts of the folder above."""
    *folders, _ = folded(folder).split("/")
    while folders and _DISC_FOLDER.fullmatch(folders[-1]):
        folders.pop()
    return _DISC_SUFFIX.sub("", "/".join(folders))
