"""Measurements of one library of synthetic tracks, of a given size."""

import hashlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH, Fingerprints
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import choose_recommendations, find_query_candidates, rank_query
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.recordings import Recordings
from mfcc_assets.playlists.selection import considered_count
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import LibraryIndex, made_with
from mfcc_assets.search.query import search_for_new_track
from mfcc_assets.search.segment import LoadedParts, Segment
from mfcc_assets.search.vector_index import LARGEST_FLAT, SegmentPoints, VectorIndex, trained_centres
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets.storage.sql.browse_keys import browse_keys
from mfcc_assets_tests.benchmarks.population import Drawn, Population

ANSWERS = 30
RECALL_SEARCHES = 100
PLACES = 5
RANKING = DEFAULT_RANKING
QUERY = AudioId("query")
_RANKED = 20

_Value = TypeVar("_Value")

_WORDS = ("Ocean", "Night", "River", "Glass", "Ember", "North", "Paper", "Violet")


@dataclass(frozen=True)
class Result:
    """The measurements of a library of one size, in seconds and bytes."""

    size: int
    kind: str
    build: float
    grow: float
    write: float
    stored_bytes: int
    open: float
    open_bytes: int
    verify: float
    search: tuple[float, ...]
    recall: float
    recall_of_1000: float
    answer: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class SizedLibrary:
    """A library of some synthetic tracks."""

    library: Library
    population: Population
    drawn: Drawn

    def run(self, queries: Drawn) -> Result:
        tracks = TrackOfAudio.of(dict(ids(0, len(self.drawn))))
        points, query_points = self.population.points(self.drawn), self.population.points(queries)
        _, build = timed(lambda: SegmentPoints(points, trained_centres(points)))
        centres = trained_centres(points)
        _, grow = timed(lambda: SegmentPoints(points, centres))
        write = self._write(tracks)
        opened, opening = timed(lambda: _first_answer(self.library, query_points[:1]))
        process = [sys.executable, "-m", __name__, str(self.library.settings.folder), str(points.shape[1])]
        search = tuple(timed(partial(opened.vector_index.search, query[None], 100))[1] for query in query_points)
        _, verify = timed(opened.load_all)
        _, exact = faiss.knn(query_points[:RECALL_SEARCHES], points, 1_000)
        return Result(
            size=len(points),
            kind="flat" if len(points) <= LARGEST_FLAT else "inverted file",
            build=build,
            grow=grow,
            write=write,
            stored_bytes=self._stored_bytes(opened),
            open=opening,
            open_bytes=int(subprocess.run(process, check=True, capture_output=True, text=True).stdout),
            verify=verify,
            search=search,
            recall=_recall(opened.vector_index, query_points, exact[:, :100]),
            recall_of_1000=_recall(opened.vector_index, query_points, exact),
            answer=self._answers(opened, queries[:ANSWERS]),
        )

    def _stored_bytes(self, index: LibraryIndex) -> int:
        """Return the size of everything that is stored of an index."""
        folders = [f"indexes/{index.version}/", f"index_calibrations/{index.calibrated_as}/"]
        folders += [f"index_segments/{segment.name}/" for segment in index.segments]
        return sum(blob.size for folder in folders for blob in self.library.blobs.list("cepstra", folder))

    def _write(self, tracks: TrackOfAudio) -> float:
        """Write an index, and return the seconds that writing took. Nothing of it stays in memory."""
        # Recognition is not measured, so each track has a fingerprint of one frame.
        frames = np.zeros((len(tracks), FINGERPRINT_WIDTH), np.float32)
        return self.write(tracks, Fingerprints(frames, np.arange(len(tracks) + 1), tracks.audio_ids))[1]

    def write(self, tracks: TrackOfAudio, fingerprints: Fingerprints) -> tuple[LibraryIndex, float]:
        """Write an index with rankings and publish it, and return it and the seconds that writing the index took."""
        parameters, points = index_parameters(self.library), self.population.points(self.drawn)
        calibration = replace(self.population.calibration, centres=trained_centres(points))
        parts = LoadedParts(
            self.population.feature_table_of(self.drawn),
            self.population.coarse_contours(self.drawn),
            self.population.contours(self.drawn),
            fingerprints,
            SegmentPoints(points, calibration.centres),
            self.population.statistics.rows(self.drawn.origins),
        )
        segment = Segment(tracks, made_with(parameters, calibration.digest), parts)
        index = LibraryIndex.of(parameters, tracks, [segment], calibration, len(tracks))
        _, seconds = timed(lambda: self.library.indexes.write(index))
        self.library.indexes.publish(index.version)
        write_rankings(self.library, index)
        return index, seconds

    def _answers(self, index: LibraryIndex, queries: Drawn) -> dict[str, tuple[float, ...]]:
        """Measure each part of the answer to each query."""
        rng, wanted = np.random.default_rng(2), considered_count(PLACES)
        # Synthetic tracks are no copies of each other. To compare them all takes hours in the largest library.
        recordings = Recordings(index.tracks, np.arange(len(index.tracks)))
        parts: dict[str, list[float]] = {
            name: [] for name in ("distance statistics", "candidates", "contours", "tables")
        }
        for query in range(len(queries)):
            track_features = self.population.track_features(queries[query : query + 1], rng)
            search, seconds = timed(partial(search_for_new_track, index, {QUERY}, track_features))
            parts["distance statistics"].append(seconds)
            found, seconds = timed(partial(find_query_candidates, index, search, recordings, without=(), count=wanted))
            parts["candidates"].append(seconds)
            candidates = [candidate for candidate, _ in found]
            ranked, seconds = timed(partial(rank_query, self.library, index, search, candidates, count=wanted))
            parts["contours"].append(seconds)
            chosen, seconds = timed(
                partial(
                    choose_recommendations,
                    self.library,
                    index,
                    list_order_of(self.library, index),
                    ranked,
                    count=PLACES,
                    query_audio=QUERY,
                    recognised_as=(),
                )
            )
            parts["tables"].append(seconds)
            assert len(chosen[0]) == PLACES
        return {name: tuple(seconds) for name, seconds in parts.items()}

    def write_track_features(self, candidates: Sequence[AudioId], rng: np.random.Generator) -> None:
        features, parameters = self.library.features, self.population.parameters
        for audio in candidates:
            if not features.has_track_features(audio, parameters):
                number = int(audio, 16)
                features.write_track_features(
                    audio, self.population.track_features(self.drawn[number : number + 1], rng), parameters
                )


def write_rankings(library: Library, index: LibraryIndex) -> None:
    """Write the nearest tracks of each track by the vector index as its ranking, from which lists get their order.

    Real rankings take hours for large libraries. The order of lists needs the places only.
    """
    points = index.calibration.embedding(index.feature_table)
    squared, rows = faiss.knn(points, points, _RANKED + 1)
    audio_ids, by_shard = index.tracks.audio_ids, dict[str, dict[AudioId, RankedList]]()
    for row, (audio, track) in enumerate(zip(audio_ids, index.tracks.track_ids, strict=True)):
        near = [
            (place, far) for place, far in zip(rows[row].tolist(), squared[row].tolist(), strict=True) if place != row
        ]
        ranked = [(audio_ids[place], float(np.sqrt(max(far, 0)))) for place, far in near[:_RANKED]]
        by_shard.setdefault(track[: library.settings.shard_digits], {})[audio] = ranked
    for shard in library.shards:
        library.rankings.write("rankings", index.version, shard, RankedLists.of(by_shard.get(shard, {})))


def _recall(vector_index: VectorIndex, queries: NDArray[np.float32], exact: NDArray[np.int64]) -> float:
    """Return the share of the nearest rows that a search finds, for the first queries."""
    queries, size = queries[: len(exact)], exact.shape[1]
    found = [{int(audio, 16) for audio in hits} for hits in vector_index.search(queries, size)]
    return float(np.mean([len(hits & set(rows.tolist())) / size for hits, rows in zip(found, exact, strict=True)]))


def ids(first: int, last: int) -> Iterator[tuple[AudioId, TrackId]]:
    """Yield audio ids and track ids. Audio ids ascend, so the number of a track is also its row in an index."""
    for number in range(first, last):
        track = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).hexdigest()
        yield AudioId(f"{number:032x}"), TrackId(track)


def insert_soundtracks(
    library: Library, size: int, named: Callable[[int, int], Iterator[tuple[AudioId, TrackId]]] = ids
) -> None:
    """Fill the table SOUNDTRACKS up to a number of rows, with SQL, which is faster than `Catalogue`."""
    present = library.catalogue.progress()[1]
    digits = library.settings.shard_digits
    rows = (
        _row(number, audio, track, track[:digits])
        for number, (audio, track) in enumerate(named(present, size), start=present)
    )
    with closing(sqlite3.connect(library.settings.folder / "tables.sqlite")) as connection, connection:
        connection.executemany(
            "INSERT INTO SOUNDTRACKS (TRACK_ID, SHARD, BLOB_NAME, ETAG, BYTES, CONTENT_DIGEST, AUDIO_ID,"
            " ANALYSED_DIGEST, TITLE, ARTIST, ALBUM, GENRE, YEAR, ARTWORK, NOTE, RUN_ID, OBSERVED_AT, SECONDS,"
            " BY_TITLE, BY_ARTIST, BY_ALBUM, BY_YEAR, ARTIST_KEY, ALBUM_KEY, GENRE_KEYS, SEARCH_TEXT)"
            " VALUES (?, ?, ?, 'etag', 4000000, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '2026-01-01 00:00:00.000000', 240,"
            " ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def _row(number: int, audio: AudioId, track: TrackId, shard: str) -> tuple[object, ...]:
    """Return the values of a soundtrack: albums of ten tracks, and artists of two albums."""
    tags = Tags(
        title=f"{_WORDS[number % 8]} {number}",
        artist=f"{_WORDS[number // 20 % 7]} {number // 20}",
        album=f"{_WORDS[number // 10 % 5]} {number // 10}",
        genre=_WORDS[number // 500 % 8],
        year=1960 + number // 10 % 60,
    )
    name = f"{track}.mp3"
    keys = browse_keys(tags, name)
    told = (tags.title, tags.artist, tags.album, tags.genre, tags.year)
    return (track, shard, name, audio, audio, audio, *told, *vars(keys).values())


def _first_answer(library: Library, point: NDArray[np.float32]) -> LibraryIndex:
    index = IndexStore(library.blobs).published()
    index.vector_index.search(point, 100)
    return index


def timed(call: Callable[[], _Value]) -> tuple[_Value, float]:
    begun = time.perf_counter()
    result = call()
    return result, time.perf_counter() - begun


def _memory(name: str) -> int:
    """Return a figure of this process in bytes. The peak that Linux reports for a child may be that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    with Library(Settings(home=Path(sys.argv[1]), shard_digits=2, ranking=RANKING)) as opened_library:
        nowhere = np.zeros((1, int(sys.argv[2])), np.float32)
        before = _memory("VmRSS")
        _first_answer(opened_library, nowhere)
        sys.stdout.write(f"{_memory('VmHWM') - before}\n")
