"""The answer to one file, all steps at once: for `mfcc recommend`, and as the preview of the answer to an upload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.outside import read_tags
from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.audio.tags import Tags
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import LeftToTheRun, TooLong
from mfcc_assets.features.file_analysis import AnalysedFile, analyse_file
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import TrackFeatures, track_features_of
from mfcc_assets.features.waveform import Waveform
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import (
    certify,
    choose_recommendations,
    find_query_candidates,
    names_of_local_recognisers,
    rank_query,
    recognise_file,
    search_for,
)
from mfcc_assets.pipeline.index import ranked_count
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.stages import Coverage, coverage_of
from mfcc_assets.pipeline.store_features import note_on
from mfcc_assets.pipeline.versions import versions_among
from mfcc_assets.recognition.recogniser import Outcome, Recognition, RecognitionFailure
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search, search_for_new_track
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.sql.records import Recommendation, Soundtrack


@dataclass(frozen=True, eq=False)
class FileFeatures:
    """A file with its features, which are in memory and not stored.

    Attributes
    ----------
    audio_id, seconds, note
        Audio of the file, its length, and a remark on its quality, as the document of an upload has them.
    cepstra : (frames, d) float32
        Cepstra of the file.
    waveform
        Waveform of the file. It is None if the other features were read from the store, where it is too.
    track_features
        Track features of the file.
    parameters
        Parameters of the features.
    """

    audio_id: AudioId
    seconds: float
    note: str
    cepstra: NDArray[np.float32]
    waveform: Waveform | None
    track_features: TrackFeatures
    parameters: FeaturesParameters


@dataclass(frozen=True)
class Answer:
    """The answer to a listener's file.

    Attributes
    ----------
    recognised
        The recording that the file was recognised as, or None.
    index_version
        Version of the index that was searched.
    coverage
        How much of the library this index has. During a first load, tracks are missing.
    recommendations
        Recommendations, best first.
    soundtracks
        Soundtracks of the recommendations, by track id.
    certified
        True if it is proven that the tracks from which the recommendations are chosen are the nearest of the library by
        their distance. Their order also depends on the neighbours that they share with the file.
    recall
        Measured share of the truly nearest tracks that a search of this index finds. None if the answer is certified
        or the recall was not measured.
    dtw_cells
        Number of cells of DTW matrices that were computed: the work of the search.
    nearness
        How near the file is to each recommendation. It is None if the library is too small to say it.
    failures
        Recognisers that were unavailable.
    """

    recognised: Recognition | None
    index_version: str
    coverage: Coverage
    recommendations: list[Recommendation]
    soundtracks: Mapping[TrackId, Soundtrack]
    certified: bool
    recall: float | None
    dtw_cells: int
    nearness: Sequence[Nearness | None]
    failures: tuple[RecognitionFailure, ...] = ()


@dataclass(frozen=True, eq=False)
class Preview:
    """The answer to an upload before a run has recorded it.

    Attributes
    ----------
    file
        The file with its features. They explain the answer until the run has stored them.
    answer
        The answer. Its list is the one that the run will record, as long as no other index is published.
    """

    file: FileFeatures
    answer: Answer


LONGEST_PREVIEW_SECONDS = 1800.0
"""Longer audio is answered by the run alone, so that a few long files do not keep others waiting for their previews."""


def answer_file(
    library: Library,
    opened: OpenedIndex,
    path: Path,
    file: FileFeatures,
    tags: Tags,
    *,
    count: int,
    exact: bool = False,
    without_versions: bool = False,
) -> Answer:
    """Answer a file whose features are in memory: see `mfcc_assets.pipeline.recommend_file.recommend_file`.

    Parameters
    ----------
    library, path, count, exact, without_versions
        As there.
    opened
        The published index.
    file, tags
        Features and tags of the file.
    """
    names = library.settings.recogniser_names
    outcome = recognise_file(library, opened.index, path, tags, file.audio_id, file.cepstra, names)
    return _answer(library, opened, file, outcome, path, count=count, exact=exact, without_versions=without_versions)


def preview_answer(library: Library, opened: OpenedIndex, path: Path, file_name: str) -> Preview:
    """Answer the file of an upload at once, with the list that the run will record. Nothing is stored.

    Services are not asked, so that the answer does not wait for them. What they know of the recording comes with the
    recorded answer. They change no list, as long as the settings name them behind `library`.

    Parameters
    ----------
    library
        The library to recommend from.
    opened
        The published index: see `mfcc_assets.pipeline.opened_index.PublishedIndex`.
    path
        The file.
    file_name
        Name of the file in errors.

    Raises
    ------
    AudioError
        If the file cannot be used.
    LeftToTheRun
        If its audio is longer than `LONGEST_PREVIEW_SECONDS`.
    NoPublishedIndex, CorruptIndex
        If the index cannot be used, or the database does not know its tracks.
    OSError
        If the file cannot be opened, for example because it is gone.
    """
    file = features_at_once(library, path, opened.index.parameters.features, file_name)
    names = names_of_local_recognisers(library)
    outcome = recognise_file(library, opened.index, path, read_tags(path), file.audio_id, file.cepstra, names)
    answer = _answer(library, opened, file, outcome, path, count=library.settings.recommendations)
    return Preview(file, answer)


def features_of_file(library: Library, path: Path, parameters: FeaturesParameters, file_name: str = "") -> FileFeatures:
    """Compute the features of a file in memory, as they would be stored.

    Raises
    ------
    AudioError
        If the file cannot be used.
    OSError
        If it cannot be opened.
    """
    return _features_within(library.limits, path, parameters, file_name)


def features_at_once(library: Library, path: Path, parameters: FeaturesParameters, file_name: str) -> FileFeatures:
    """Compute the features of a file as `features_of_file` does, unless its audio is so long that others would wait.

    Raises
    ------
    AudioError
        If the file cannot be used.
    LeftToTheRun
        If its audio is longer than `LONGEST_PREVIEW_SECONDS`.
    OSError
        If it cannot be opened.
    """
    limits = library.limits
    if limits.max_seconds > LONGEST_PREVIEW_SECONDS:
        limits = replace(limits, max_seconds=LONGEST_PREVIEW_SECONDS)
    try:
        return _features_within(limits, path, parameters, file_name)
    except TooLong as error:
        if limits == library.limits:
            raise
        raise LeftToTheRun("the audio is too long to answer it at once", subject=file_name) from error


def _features_within(limits: AudioLimits, path: Path, parameters: FeaturesParameters, file_name: str) -> FileFeatures:
    return features_of_analysis(analyse_file(path, parameters.cepstra, limits, file_name), parameters)


def features_of_analysis(file: AnalysedFile, parameters: FeaturesParameters) -> FileFeatures:
    """Return the features of a file that was analysed with these parameters."""
    track_features = track_features_of(file.analysis, parameters)
    audio, cepstra = file.audio, file.analysis.cepstra
    return FileFeatures(
        audio.audio_id, audio.seconds, note_on(audio), cepstra, file.waveform, track_features, parameters
    )


def search_for_file(library: Library, index: LibraryIndex, file: FileFeatures, copies: set[AudioId]) -> Search:
    """Return the search that compares a file with the tracks of an index, as `search_for` would if it were stored."""
    if file.audio_id in index.tracks:
        return search_for(library, index, file.audio_id)
    return search_for_new_track(index, {file.audio_id, *copies}, file.track_features, on_all_cores)


def _answer(
    library: Library,
    opened: OpenedIndex,
    file: FileFeatures,
    outcome: Outcome,
    path: Path,
    *,
    count: int,
    exact: bool = False,
    without_versions: bool = False,
) -> Answer:
    index, recordings = opened.index, opened.recordings
    recognised = outcome.recognition
    recognised_audio = tuple(recognised.audio_ids) if recognised else ()
    considered = max(ranked_count(count), index.parameters.ranked_count)
    without = recordings.copies({file.audio_id, *recognised_audio})
    search = search_for_file(library, index, file, without)
    candidates = find_query_candidates(index, search, recordings, without=without, count=considered)
    ranked = rank_query(library, index, search, [candidate for candidate, _ in candidates], count=considered)
    if exact:
        in_library, known = library.catalogue.track_ids_by_audio(), set(recordings.of([*without]))
        others = [audio_id for audio_id in recordings.representing(in_library) if audio_id not in known]
        ranked = certify(search, ranked, count=considered, others=others)
    left_out = versions_among(library, path, [audio_id for audio_id, _ in ranked]) if without_versions else set()
    recommendations, soundtracks = choose_recommendations(
        library,
        index,
        opened.order,
        ranked,
        count=count,
        query_audio=file.audio_id,
        recognised_as=recognised_audio,
        left_out=left_out,
    )
    return Answer(
        recognised,
        index.version,
        coverage_of(library, index),
        recommendations,
        soundtracks,
        certified=exact,
        recall=None if exact else opened.recall,
        dtw_cells=search.contour_query.cells if search.contour_query else 0,
        nearness=[opened.pairs.nearness(recommendation.distance) for recommendation in recommendations],
        failures=outcome.failures,
    )
