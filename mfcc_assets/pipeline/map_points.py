"""The map of an index: a point on a plane for every track, and for uploads between them.

The points of up to 10,000 tracks, the landmarks, are found by t-SNE from the embeddings of the index. All other tracks,
and uploads, lie between the landmarks that are nearest to them by these embeddings.

What nearness on the map means: tracks that lie next to each other sound alike to the search of the index. The axes have
no meaning, and neither has the distance between groups of points. Two tracks that sound alike may still lie apart,
because a plane has too little room for all neighbours. So a map is for finding one's way, and the recommendations of a
track are not read from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import repaired
from mfcc_assets.plots.projection import place_between, project
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import embedding_of_new_track
from mfcc_assets.similarity.pairwise import evenly_spaced
from mfcc_assets.storage.shared_tables import Table

MOST_LANDMARKS = 10_000
"""Largest number of tracks that t-SNE places. For 10,000 it takes about 20 s of one core."""

LARGEST_COORDINATE = 2**16 - 1

_NEIGHBOURS = 10
"""Number of landmarks between which another track lies."""

_KEPT_SHARE = 0.75
"""Least share of the landmarks that must be left, so that the next index takes over their points."""

_NAME = "map.table"


@dataclass(frozen=True, eq=False)
class MapPoints:
    """The points of the tracks of an index on a map.

    Attributes
    ----------
    index_version
        Version of the index.
    points : (tracks, 2) uint16
        Coordinates of each track, in the order of the index: first to the right, then upwards, 0 to 65,535. Both axes
        have the same scale, and the map lies in the middle of the square.
    """

    index_version: str
    points: NDArray[np.uint16]

    @property
    def as_bytes(self) -> bytes:
        """The coordinates x0, y0, x1, y1, … as little-endian 16-bit numbers, which take 4 bytes for each track."""
        return self.points.astype("<u2").tobytes()


@dataclass(frozen=True, eq=False)
class _Map:
    """The map of an index.

    Attributes
    ----------
    points : (tracks, 2) uint16
        See `MapPoints`.
    projected_with : (tracks,) uint16
        Number of landmarks that t-SNE placed together with each landmark, itself included. Since then, some of them may
        have left the library. It is 0 for every other track.
    """

    points: NDArray[np.uint16]
    projected_with: NDArray[np.uint16]

    @property
    def is_landmark(self) -> NDArray[np.bool_]:
        """Whether each track (tracks,) is a landmark."""
        return self.projected_with > 0


def map_points(library: Library, index: LibraryIndex) -> MapPoints:
    """Return the points of the tracks of an index. They are computed once for each index, when it is published.

    The points of the published index are taken over, and only new tracks are placed between their neighbours, as long
    as the calibration of the index is the same and three quarters of the landmarks are left. So a run that publishes an
    index for a few new tracks does not wait for t-SNE, and the tracks stay where listeners have seen them. The
    calibration changes when a library has doubled, and at every change of a library that is so small that t-SNE takes
    no time.

    Parameters
    ----------
    library
        The library.
    index
        The index.
    """
    return MapPoints(index.version, _map(library, index).points)


def place_on_map(library: Library, index: LibraryIndex, embedding: NDArray[np.float32]) -> tuple[int, int]:
    """Return the coordinates of a track that is not in the index, between its neighbours on the map.

    Parameters
    ----------
    library
        The library.
    index
        The index whose map is meant.
    embedding : (dimensions,) float32
        Point of the track, such as `mfcc_assets.search.query.Search.embedding`.

    Returns
    -------
    tuple of int
        Coordinates as in `MapPoints`.
    """
    drawn = _map(library, index)
    ((x, y),) = _placed(index, drawn.points, drawn.is_landmark, embedding[np.newaxis]).tolist()
    return x, y


def place_audio_on_map(library: Library, index: LibraryIndex, audio_id: AudioId) -> tuple[int, int]:
    """Return the coordinates of an audio whose features are stored, such as that of an upload, as `place_on_map` does.

    An audio that the index has lies where its track lies.

    Raises
    ------
    FeaturesMissing
        If the features of the audio cannot be read.
    """
    (row,) = index.tracks.rows([audio_id])
    if row >= 0:
        x, y = _map(library, index).points[row].tolist()
        return x, y
    features = index.parameters.features
    track_features = repaired(
        library, lambda: library.features.read_track_features(audio_id, features), audio_id, features
    )
    return place_on_map(library, index, embedding_of_new_track(index, track_features))


def _map(library: Library, index: LibraryIndex) -> _Map:
    stored = _stored(library, index)
    if stored is not None:
        return stored
    former = _former(library, index)
    drawn = _taken_over(library, index, former) if former is not None else None
    drawn = drawn or _projected(index)
    table = Table(index.tracks.audio_ids, np.column_stack([drawn.points, drawn.projected_with]))
    library.tables.write(index.version, _NAME, table, former=former.version if former is not None else None)
    return drawn


def _projected(index: LibraryIndex) -> _Map:
    """Place the landmarks by t-SNE, and the other tracks between them."""
    # Audio ids are digests, so evenly spaced ones are a random sample.
    rows = evenly_spaced(len(index.tracks), MOST_LANDMARKS)
    points, projected_with = np.zeros((len(index.tracks), 2), np.uint16), np.zeros(len(index.tracks), np.uint16)
    points[rows], projected_with[rows] = _on_square(project(_embeddings(index, rows))), len(rows)
    return _completed(index, _Map(points, projected_with), np.flatnonzero(projected_with == 0))


def _former(library: Library, index: LibraryIndex) -> LibraryIndex | None:
    """Return the published index if its points can be those of the same tracks in this one."""
    former = library.indexes.published_if_usable()
    if former is None or former.version == index.version or not index.is_calibrated_as(former):
        return None
    return former


def _taken_over(library: Library, index: LibraryIndex, former: LibraryIndex) -> _Map | None:
    """Take over the map of another index; None if that has no fitting one."""
    drawn = _stored(library, former)
    if drawn is None or not len(drawn.points):
        return None
    known = former.tracks.rows(index.tracks.audio_ids)
    projected_with = np.where(known >= 0, drawn.projected_with[known], np.uint16(0))
    if (projected_with > 0).sum() < _KEPT_SHARE * max(1, drawn.projected_with.max()):
        return None
    return _completed(index, _Map(drawn.points[known], projected_with), np.flatnonzero(known < 0))


def _stored(library: Library, index: LibraryIndex) -> _Map | None:
    table = library.tables.read(index.version, _NAME)
    if table is None or not np.array_equal(table.audio_ids.array, index.tracks.audio_ids.array):
        return None
    values = table.values
    return _Map(values[:, :2], values[:, 2]) if values.dtype == np.uint16 and values.shape[1:] == (3,) else None


def _completed(index: LibraryIndex, drawn: _Map, others: NDArray[np.int64]) -> _Map:
    """Place the other rows between the landmarks."""
    drawn.points[others] = _placed(index, drawn.points, drawn.is_landmark, _embeddings(index, others))
    return drawn


def _placed(
    index: LibraryIndex, points: NDArray[np.uint16], is_landmark: NDArray[np.bool_], embeddings: NDArray[np.float32]
) -> NDArray[np.uint16]:
    """Return the coordinates (n, 2) of other tracks between their nearest landmarks, or the middle without any."""

    def positions() -> Iterable[NDArray[np.float64]]:
        nearest = index.vector_index.search(embeddings, _NEIGHBOURS, is_landmark) if len(embeddings) else []
        for embedding, found in zip(embeddings, nearest, strict=True):
            rows = index.tracks.rows(found)
            if len(rows):
                distances = np.linalg.norm(_embeddings(index, rows) - embedding, axis=1)
                yield place_between(distances, points[rows])
            else:
                yield np.full(2, LARGEST_COORDINATE / 2)

    return _whole(np.array(list(positions())).reshape(-1, 2))


def _embeddings(index: LibraryIndex, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return index.calibration.embedding(index.feature_table.rows(rows))


def _on_square(points: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Fit points (n, 2) into the square of all coordinates, with the same scale for both axes."""
    if not len(points):
        return np.empty((0, 2), np.uint16)
    least, largest = points.min(axis=0), points.max(axis=0)
    extent = float((largest - least).max())
    scaled = (points - (least + largest) / 2) * (LARGEST_COORDINATE / extent if extent > 0 else 0.0)
    return _whole(scaled + LARGEST_COORDINATE / 2)


def _whole(points: NDArray[np.float64]) -> NDArray[np.uint16]:
    whole: NDArray[np.uint16] = np.rint(points).astype(np.uint16)
    return whole
