"""The points and tracks of a map, in the order in which they are sent to browsers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.browse_keys import genres_of
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable
from mfcc_assets.web.map.groups import Groups, decade, groups_of
from mfcc_assets.web.renewed import Renewed

NAMES_AT_ONCE = 256
"""Number of tracks whose names are sent together."""

_KEPT_SECONDS = 300.0
_COORDINATE_BITS = 16


@dataclass(frozen=True)
class DrawnMap:
    """The map of an index, with the tracks that are still in the library.

    Tracks that are close on the map are mostly close in this order, so that the names of what a window shows come
    together.

    Attributes
    ----------
    points : (tracks, 2) uint16
        Coordinates: first to the right, then upwards.
    tracks
        The tracks.
    """

    points: NDArray[np.uint16]
    tracks: Sequence[Soundtrack]

    @cached_property
    def version(self) -> str:
        """Name of this order of these points and tracks, and of what is shown of them. Names are asked for with it."""
        digest = hashlib.blake2b(self.points_as_bytes, digest_size=8)
        for track in self.tracks:
            shown = f"{track.track_id}{track.display_title}\n{track.artist}\n{track.genre}\n{track.year}\n"
            # A name may have half a character, which no encoding has.
            digest.update(shown.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    @cached_property
    def points_as_bytes(self) -> bytes:
        """The coordinates x0, y0, x1, y1, … as little-endian 16-bit numbers."""
        return self.points.astype("<u2").tobytes()

    @cached_property
    def rows(self) -> dict[TrackId, int]:
        """Row of each track in this order."""
        return {track.track_id: row for row, track in enumerate(self.tracks)}

    @cached_property
    def groups(self) -> dict[str, Groups]:
        """The groups that can colour the map."""
        genres = [next(iter(genres_of(track.genre)), "") for track in self.tracks]
        return {
            "artist": groups_of([printable(track.artist) for track in self.tracks]),
            "genre": groups_of([printable(genre) for genre in genres]),
            "year": groups_of([decade(track.year) for track in self.tracks], by_name=True),
        }

    def names(self, chunk: int) -> dict[str, list[str]]:
        """Return the ids, titles and artists of `NAMES_AT_ONCE` tracks, of the last chunk fewer."""
        tracks = self.tracks[chunk * NAMES_AT_ONCE : (chunk + 1) * NAMES_AT_ONCE]
        return {
            "ids": [track.track_id for track in tracks],
            "titles": [printable(track.display_title) for track in tracks],
            "artists": [printable(track.artist) for track in tracks],
        }


def draw_map(library: Library, index: LibraryIndex) -> DrawnMap:
    """Return the map of an index. A track that has left the library since is not on it."""
    points = map_points(library, index).points
    by_audio = {track.audio_id: track for track in reversed(library.catalogue.soundtracks())}
    found = [by_audio.get(audio_id) for audio_id in index.tracks.audio_ids]
    rows = np.array([row for row, track in enumerate(found) if track], np.int64)
    ordered = rows[np.argsort(near_order(points[rows]), kind="stable")]
    tracks = [track for row in ordered.tolist() if (track := found[row])]
    return DrawnMap(points[ordered], tracks)


def near_order(points: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return numbers (n,) by which points (n, 2) are sorted so that near points mostly come one after the other.

    The bits of both coordinates take turns, which is called the Z-order.

    Examples
    --------
    >>> near_order(np.array([[0, 0], [1, 0], [0, 1], [2, 0]], np.uint16)).tolist()
    [0, 1, 2, 4]
    """
    wide = points.astype(np.int64)
    order = np.zeros(len(points), np.int64)
    for bit in range(_COORDINATE_BITS):
        for axis in range(2):
            order |= ((wide[:, axis] >> bit) & 1) << (2 * bit + axis)
    return order


class KeptMap:
    """Keeps the map of the published index. It is drawn anew for another index, and when tags may have changed.

    While one thread draws it, the others get the former one.

    Parameters
    ----------
    library
        The library.
    published
        Its published index.
    kept_seconds
        Time after which tags are read again.
    """

    def __init__(self, library: Library, published: PublishedIndex, *, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._library, self._published = library, published
        self._drawn: Renewed[DrawnMap] = Renewed(kept_seconds)

    def current(self) -> DrawnMap:
        """Return the map.

        Raises
        ------
        NoPublishedIndex, CorruptIndex
            If there is no index, or it cannot be read.
        """
        index = self._published.opened().index
        return self._drawn.get(index.version, lambda: draw_map(self._library, index))
