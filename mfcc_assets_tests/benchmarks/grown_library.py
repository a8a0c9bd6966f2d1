"""A large library of synthetic tracks, to which tracks are added."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import Analysis, TrackFeatures
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.shared_tables import Table
from mfcc_assets_tests.benchmarks.population import Drawn, Population
from mfcc_assets_tests.benchmarks.sized_library import insert_soundtracks
from mfcc_assets_tests.benchmarks.synthetic_index import synthetic_index


def digests(first: int, last: int) -> Iterator[tuple[AudioId, TrackId]]:
    """Yield audio ids and track ids in random order, as those of real files are."""
    for number in range(first, last):
        track = hashlib.blake2b(b"track %d" % number, digest_size=8).hexdigest()
        yield AudioId(hashlib.blake2b(b"audio %d" % number, digest_size=16).hexdigest()), TrackId(track)


class DrawnFeatures(FeatureStore):
    """The features of drawn tracks. Each has the file of its real origin, so reading it takes as long as it does.

    Parameters
    ----------
    library
        The library, for what is stored in it.
    real
        Store of the features of the real tracks.
    population, drawn, audio_ids
        The drawn tracks and their audio ids.
    """

    def __init__(
        self, library: Library, real: FeatureStore, population: Population, drawn: Drawn, audio_ids: Sequence[AudioId]
    ) -> None:
        super().__init__(library.blobs)
        self._real, self._population, self._drawn = real, population, drawn
        self._numbers = {audio_id: number for number, audio_id in enumerate(audio_ids)}

    def audio_with_track_features(self, parameters: FeaturesParameters, run_id: str = "") -> set[AudioId]:
        return super().audio_with_track_features(parameters, run_id) | self._numbers.keys()

    def read_cepstra(
        self, audio_id: AudioId, parameters: CepstraParameters, *, seconds: float | None = None
    ) -> NDArray[np.float32]:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_cepstra(audio_id, parameters, seconds=seconds)
        origin = self._population.audio_ids[self._drawn.origins[number]]
        return self._real.read_cepstra(origin, parameters, seconds=seconds)

    def read_analysis(self, audio_id: AudioId, parameters: CepstraParameters) -> Analysis:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_analysis(audio_id, parameters)
        return self._real.read_analysis(self._population.audio_ids[self._drawn.origins[number]], parameters)

    def read_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> TrackFeatures:
        number = self._numbers.get(audio_id)
        if number is None:
            return super().read_track_features(audio_id, parameters)
        real = self._real.read_track_features(self._population.audio_ids[self._drawn.origins[number]], parameters)
        drawn = self._population.track_features(self._drawn[number : number + 1], np.random.default_rng(number))
        return replace(drawn, contour=real.contour)


def real_and_drawn(population: Population, size: int) -> Drawn:
    """Return the real tracks, followed by drawn ones up to a size."""
    count = len(population.tracks)
    drawn = population.draw(size - count, seed=0)
    mixtures = csr_array(vstack([eye_array(count, dtype=np.float32, format="csr"), drawn.mixtures]))
    return Drawn(mixtures, np.append(np.arange(count), drawn.origins))


def write_library(library: Library, population: Population, drawn: Drawn) -> LibraryIndex:
    """Write the index and the rows of a library. It is not published, because it has no lists yet."""
    names = list(digests(0, len(drawn)))
    insert_soundtracks(library, len(drawn), digests)
    order = np.array(sorted(range(len(drawn)), key=lambda number: names[number][0]))
    tracks = TrackOfAudio.of(dict(names))
    index = synthetic_index(population, drawn[order], tracks, index_parameters(library))
    library.indexes.write(index)
    library.indexes.write_quality(index.version, {RECALL: 0.99})
    # Synthetic tracks are no copies of each other.
    nothing = np.empty((0, 1), tracks.audio_ids.array.dtype)
    library.tables.write(index.version, "copies.table", Table(IdArray(nothing[:, 0]), nothing))
    library.indexes.set_built(index.version)
    return index


def insert_track(library: Library, audio_id: AudioId, track: TrackId, like: str) -> None:
    """Insert a row of SOUNDTRACKS for one more track, with the tags of another row."""
    with closing(sqlite3.connect(library.settings.folder / "tables.sqlite")) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(SOUNDTRACKS)")]
        new = {"TRACK_ID": track, "SHARD": track[: library.settings.shard_digits], "AUDIO_ID": audio_id}
        new |= {"BLOB_NAME": f"{track}.mp3", "CONTENT_DIGEST": audio_id, "ANALYSED_DIGEST": audio_id}
        values = ", ".join(f"'{new[name]}'" if name in new else name for name in columns)
        connection.execute(
            f"INSERT INTO SOUNDTRACKS ({', '.join(columns)}) SELECT {values} FROM SOUNDTRACKS WHERE TRACK_ID = ?",
            (like,),
        )
