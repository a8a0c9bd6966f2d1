"""A library of 10,000 synthetic tracks that the pages can show and answer from. It is made once and kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.features.file_analysis import analyse_file
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_report import occurrences_of
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.pipeline.nearness import pair_distances_of
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.population import Drawn, Population
from mfcc_assets_tests.benchmarks.sized_library import RANKING, SizedLibrary, ids, insert_soundtracks

SIZE = 10_000
UPLOAD_SECONDS = 240
SAMPLE_RATE = 44_100
_WRITTEN_AT_ONCE = 100


def web_library(corpus: Corpus) -> Path:
    """Return the home of the library."""
    home = corpus.work / "web"
    done = home / "complete"
    if not done.exists():
        population = Population(corpus, ranking_named(RANKING))
        with Library(Settings(home=home, ranking=RANKING)) as library:
            _make(SizedLibrary(library, population, _drawn(population)))
        done.touch()
    return home


def _drawn(population: Population) -> Drawn:
    return population.draw(SIZE, seed=0)


def _make(sized: SizedLibrary) -> None:
    library, tracks = sized.library, TrackOfAudio.of(dict(ids(0, SIZE)))
    insert_soundtracks(library, SIZE)

    def write(first: int) -> None:
        chosen = tracks.audio_ids[first : first + _WRITTEN_AT_ONCE]
        sized.write_track_features(list(chosen), np.random.default_rng(first))

    for _ in on_all_cores(write, range(0, SIZE, _WRITTEN_AT_ONCE)):
        pass
    fingerprints = Fingerprints.of(list(_fingerprints(sized.population, sized.drawn, tracks.audio_ids)))
    index, _ = sized.write(tracks, fingerprints)
    # A run that publishes an index makes these ready.
    list_order_of(library, index)
    pair_distances_of(library, index)
    map_points(library, index)
    occurrences_of(library, index)


def _fingerprints(
    population: Population, drawn: Drawn, audio_ids: Sequence[AudioId]
) -> Iterator[tuple[AudioId, np.ndarray]]:
    """Yield fingerprints as long as real ones. Random signs make sure that no two of them are of one recording."""
    rng = np.random.default_rng(3)
    for audio_id, origin in zip(audio_ids, drawn.origins.tolist(), strict=True):
        frames = population.real_features[origin].fingerprint
        yield audio_id, (frames * rng.choice([-1, 1], frames.shape)).astype(np.float32)


def write_uploads(corpus: Corpus, folder: Path, count: int) -> list[Path]:
    """Write four minutes of some tracks of the corpus as MP3 files of 44.1 kHz, repeated if they are shorter."""
    folder.mkdir(exist_ok=True)
    paths: list[Path] = []
    for track in corpus.tracks:
        if len(paths) == count:
            break
        if not track.name.endswith((".ogg", ".flac", ".mp3")) or track.seconds < UPLOAD_SECONDS / 4:
            continue
        path = folder / f"{track.audio_id}.mp3"
        if not path.exists():
            samples, rate = soundfile.read(corpus.path(track), dtype="float32", always_2d=True)
            if rate != SAMPLE_RATE or samples.shape[1] != 2:
                continue
            wanted = UPLOAD_SECONDS * SAMPLE_RATE
            soundfile.write(path, np.resize(samples, (wanted, 2)), SAMPLE_RATE, format="MP3")
        paths.append(path)
    return paths


def write_compared_cepstra(corpus: Corpus, home: Path, uploads: Sequence[Path]) -> None:
    """Write the cepstra of the tracks with which recognition compares each upload. They are those of their origins.

    Cepstra of all tracks would take 12 GB. If an upload is the origin of a track, it is recognised as this track.
    """
    with Library(Settings(home=home, ranking=RANKING)) as library:
        index, features = library.indexes.published(), library.features
        parameters = index.parameters.features.cepstra
        queries = (analyse_file(path, parameters, library.limits).analysis.cepstra for path in uploads)
        compared = {audio for query in queries for audio in shortlist(query, index.fingerprints.segments, parameters)}
        missing = [audio for audio in sorted(compared) if not features.has_cepstra(audio, parameters)]
        if not missing:
            return
        population = Population(corpus, ranking_named(RANKING))
        origins = _drawn(population).origins
        for audio in missing:
            origin = population.audio_ids[origins[int(audio, 16)]]
            features.write_analysis(audio, corpus.store.read_analysis(origin, parameters), parameters)
