"""Compaction: the same index in fewer segments, so that a search looks into few files.

A run adds a small segment with its new tracks. Rows of tracks that left the library stay in their segments. Compaction
changes no row, and so neither the version of an index nor any answer.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.search.frame_spool import FrameSpool
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import SegmentPoints

MOST_SEGMENTS = 8
"""Largest number of segments of an index. Each segment adds a search and a few open files to every query."""

LARGEST_SHARE_OUTSIDE = 0.1
"""Largest share of the rows outside of the largest segment, which includes the rows of tracks that left the library."""

_TRACKS_AT_ONCE = 10_000


def compacted(index: LibraryIndex) -> LibraryIndex:
    """Return the same index, in fewer segments if it has too many.

    If much lies outside of the largest segment, all segments become one. If there are merely too many, all but the
    largest become one, which writes little.

    Parameters
    ----------
    index
        The index.
    """
    places = index.places
    kept = [int((places.rows_of_segment(number) >= 0).sum()) for number in range(len(index.segments))]
    largest = int(np.argmax(kept))
    if int(places.starts[-1]) - kept[largest] > LARGEST_SHARE_OUTSIDE * len(index.tracks) and len(index.tracks):
        merged = list(range(len(index.segments)))
    elif len(index.segments) > MOST_SEGMENTS:
        merged = [number for number in range(len(index.segments)) if number != largest]
    else:
        return index
    rows = np.sort(np.concatenate([_rows_of(index, number) for number in merged]))
    others = [segment for number, segment in enumerate(index.segments) if number not in merged]
    return replace(index, segments=[*others, _segment_of_rows(index, rows)])


def _rows_of(index: LibraryIndex, segment: int) -> NDArray[np.int64]:
    rows = index.places.rows_of_segment(segment)
    return rows[rows >= 0]


def _segment_of_rows(index: LibraryIndex, rows: NDArray[np.int64]) -> Segment:
    """Put rows of an index into one segment."""
    wanted = np.zeros(len(index.tracks), np.bool_)
    wanted[rows] = True
    tracks, feature_table = index.tracks.selected(wanted), index.feature_table.rows(rows)
    coarse_contours = FrameSpool(np.dtype(np.float16), len(index.scales))
    contours = FrameSpool(np.dtype(np.float16), len(index.scales))
    fingerprints = FrameSpool(np.dtype(np.float32), FINGERPRINT_WIDTH)
    for first in range(0, len(rows), _TRACKS_AT_ONCE):
        some = rows[first : first + _TRACKS_AT_ONCE]
        for contour in index.coarse_contours.rows(some):
            coarse_contours.append(contour)
        for contour in index.contours.rows(some):
            contours.append(contour)
        for row in some.tolist():
            fingerprints.append(index.fingerprints[row])
    return Segment(
        tracks,
        index.segments[0].made_with,
        LoadedParts(
            feature_table,
            RaggedFrames(*coarse_contours.mapped()),
            RaggedFrames(*contours.mapped()),
            Fingerprints(*fingerprints.mapped(), tracks.audio_ids),
            SegmentPoints(index.calibration.embedding(feature_table), index.calibration.centres),
            index.statistics.rows(rows),
        ),
    )
