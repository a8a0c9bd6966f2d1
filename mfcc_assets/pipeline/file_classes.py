"""Which recommendations are of the query's own format or bit rate, in a library of files from many sources."""

import bisect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from mfcc_assets.evaluation.metrics import OfOwnClass, RankedIds, of_own_class
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Soundtrack

_LIMITS = (80, 112, 160, 224, 288, 450)
"""Bit rates in kbit/s that divide the usual ones: 64, 96, 128, 192, 256, 320, and lossless music above."""


@dataclass(frozen=True)
class FileClass:
    """The tracks of one format, or of about one bit rate.

    Attributes
    ----------
    name
        Name of the class, for people.
    tracks
        Number of tracks in it.
    own
        How many of the recommendations of these tracks are in the same class; None if they have no recommendations.
    """

    name: str
    tracks: int
    own: OfOwnClass | None


def classes_of_formats(library: Library, ranked: RankedIds[AudioId]) -> list[FileClass]:
    """Return the formats of a library by the suffix of the names, the most frequent first.

    Parameters
    ----------
    library
        The library.
    ranked
        Its ranked lists.
    """
    tracks = library.catalogue.tracks_of_audio(ranked)
    return _classes(ranked, {audio_id: format_of(track) for audio_id, track in tracks.items()})


def classes_of_bit_rates(library: Library, ranked: RankedIds[AudioId]) -> list[FileClass]:
    """Return classes of about one bit rate, the most frequent first; the parameters are as above."""
    tracks = library.catalogue.tracks_of_audio(ranked)
    return _classes(ranked, {audio_id: name for audio_id, track in tracks.items() if (name := bit_rate_of(track))})


def format_of(track: Soundtrack) -> str:
    """Return the format of a track: the suffix of its name."""
    return PurePosixPath(track.blob_name).suffix.removeprefix(".").lower() or "no suffix"


def bit_rate_of(track: Soundtrack) -> str:
    """Return the class of a track's bit rate, which is its bytes for each second; empty if its length is unknown."""
    if not track.seconds:
        return ""
    place = bisect.bisect_left(_LIMITS, track.bytes * 8 / 1000 / track.seconds)
    if place == len(_LIMITS):
        return f"above {_LIMITS[-1]} kbit/s"
    return f"up to {_LIMITS[place]} kbit/s" if place == 0 else f"{_LIMITS[place - 1]} to {_LIMITS[place]} kbit/s"


def of_own_file_class(classes: list[FileClass]) -> OfOwnClass | None:
    """Return the mean over all tracks of how many recommendations are of the own class, or None if there are none."""
    found = [one.own for one in classes if one.own]
    queries = sum(own.queries for own in found)
    if not queries:
        return None
    return OfOwnClass(
        queries,
        sum(own.queries * own.same for own in found) / queries,
        sum(own.queries * own.by_chance for own in found) / queries,
    )


def _classes(ranked: RankedIds[AudioId], classes: Mapping[AudioId, str]) -> list[FileClass]:
    return [
        FileClass(
            name,
            tracks,
            of_own_class({query: found for query, found in ranked.items() if classes.get(query) == name}, classes),
        )
        for name, tracks in Counter(classes.values()).most_common()
    ]
