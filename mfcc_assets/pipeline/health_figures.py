"""Figures of the health of a library for a page: the beginnings of long lists, and their lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_report import describe_library, occurrences_of
from mfcc_assets.pipeline.quality import quality_history
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Reject, Soundtrack

_SHOWN = 50
"""Number of entries of each list. A longer list is counted."""

_HUBS = 10


@dataclass(frozen=True)
class HealthFigures:
    """Figures of the health of a library.

    Attributes
    ----------
    states
        Number of soundtracks in each state.
    count, seconds
        Number and length of all soundtracks.
    rejects, reject_count
        Files of the library that cannot be used, and their number.
    duplicates, duplicate_count
        Groups of soundtracks with the same audio, and their number.
    noted
        Soundtracks that can be used and have a note.
    hubs
        Tracks in the most lists of five, with the number of lists.
    orphans, orphan_count
        Tracks in no list, and their number.
    quality
        Measured quality of the last published indexes, the oldest first.
    """

    states: Mapping[str, int]
    count: int
    seconds: float
    rejects: Sequence[Reject]
    reject_count: int
    duplicates: Sequence[Sequence[Soundtrack]]
    duplicate_count: int
    noted: Sequence[Soundtrack]
    hubs: Sequence[tuple[Soundtrack, int]]
    orphans: Sequence[Soundtrack]
    orphan_count: int
    quality: Sequence[Mapping[str, float | None]]


def health_figures(library: Library, index: LibraryIndex | None) -> HealthFigures:
    """Read the figures of a library and of its published index, if there is one. Whole tables are read for it."""
    report = describe_library(library)
    rejects = [reject for reject in report.rejects if reject.container == SOUNDTRACKS]
    by_name = {track.blob_name: track for track in report.soundtracks}
    noted = [track for track in report.soundtracks if track.every_note and not track.is_rejected]
    counted = _counted(library, index, report.soundtracks) if index else []
    hubs = sorted((hub for hub in counted if hub[1]), key=lambda hub: (-hub[1], hub[0].display_title))
    orphans = sorted((track for track, count in counted if not count), key=lambda track: track.display_title)
    return HealthFigures(
        states=report.states,
        count=len(report.soundtracks),
        seconds=sum(track.seconds or 0.0 for track in report.soundtracks),
        rejects=rejects[:_SHOWN],
        reject_count=len(rejects),
        duplicates=[[by_name[name] for name in names] for names in report.duplicates[:_SHOWN]],
        duplicate_count=len(report.duplicates),
        noted=noted[:_SHOWN],
        hubs=hubs[:_HUBS],
        orphans=orphans[:_SHOWN],
        orphan_count=len(orphans),
        quality=_quality(library),
    )


def _counted(library: Library, index: LibraryIndex, soundtracks: Sequence[Soundtrack]) -> list[tuple[Soundtrack, int]]:
    """Return the tracks of an index that are in the library, with the number of lists that contain each."""
    tracks = {track.track_id: track for track in soundtracks}
    counts = occurrences_of(library, index).tolist()
    return [
        (tracks[TrackId(track_id)], count)
        for track_id, count in zip(index.tracks.track_ids, counts, strict=True)
        if track_id in tracks
    ]


def _quality(library: Library) -> list[Mapping[str, float | None]]:
    try:
        return [measured.figures for measured in quality_history(library)]
    except CorruptIndex:
        return []
