"""Recommendations for one file, at once and step by step."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import soundfile

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.features.track_features import TrackFeatures, analyse, track_features_of
from mfcc_assets.ids import AudioId, TrackId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certify, find_query_candidates, rank_query, search_for
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets_tests.audio_samples import write_audio, write_music
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, compared_with_all, index_and_rank, publish
from mfcc_assets_tests.runs import copied_home, run_library

DEMO = Path(__file__).parents[2] / "mfcc_assets" / "demo"
JOURNEY = DEMO / "library" / "Maxstack_A_New_Journey.ogg"
TRACKS = 14
QUERY = audio_id(0)
COUNT = 5
OTHERS = ["Maxstack_Awakening.ogg", "Muldjord_armygeddon.ogg", "Will_Savino_Ocean.ogg"]


@pytest.fixture(scope="module")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of a library of four tracks, one of them a second time: 18 s of it, as MP3. Tests only copy it."""
    home = tmp_path_factory.mktemp("real") / "home"
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        for path in (JOURNEY, *(DEMO / "library" / name for name in OTHERS)):
            library.blobs.upload_file("soundtracks", path.name, path)
        library.blobs.upload_file("soundtracks", "again.mp3", DEMO / "uploads" / "a-new-journey.mp3")
        run_library(library, instance)
    return home


@pytest.fixture
def real_library(real_home: Path, settings: Settings) -> Iterator[Library]:
    copied_home(real_home, settings.home)
    with Library(settings) as library:
        yield library


@pytest.mark.parametrize("query", [JOURNEY, DEMO / "uploads" / "a-new-journey.mp3"])
def test_no_encoding_of_the_query_is_recommended(real_library: Library, query: Path) -> None:
    answer = recommend_file(real_library, query, count=5)

    assert answer.recognised is not None
    assert len(answer.recognised.audio_ids) == 2
    assert {recommendation.track_id for recommendation in answer.recommendations} == {track_id(name) for name in OTHERS}


def test_a_track_of_the_library_in_another_format_has_the_distances_of_the_track_itself(
    real_library: Library, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(DEMO / "library" / OTHERS[0], dtype="float32")
    # A little quieter, so that neither the audio nor its id is that of the library.
    other = write_audio(tmp_path / "other.flac", samples * (1 - 2**-12), rate)

    itself, in_another_format = (
        recommend_file(real_library, path, count=4).recommendations for path in (DEMO / "library" / OTHERS[0], other)
    )

    # The two encodings of one track, which are the farthest, are about equally far.
    assert [found.track_id for found in in_another_format[:2]] == [found.track_id for found in itself[:2]]
    distances = {found.track_id: found.distance for found in itself}
    assert len(distances) == 4
    assert {found.track_id: found.distance for found in in_another_format} == pytest.approx(distances, rel=0.01)


def test_silence_around_a_file_changes_neither_its_recognition_nor_its_recommendations(
    real_library: Library, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(DEMO / "uploads" / "a-new-journey.mp3", dtype="float32")

    def answer(before: float, behind: float) -> tuple[tuple[AudioId, ...], list[TrackId]]:
        silence = [np.zeros(round(seconds * rate), np.float32) for seconds in (before, behind)]
        padded = write_audio(tmp_path / "padded.wav", np.concatenate([silence[0], samples, silence[1]]), rate)
        found = recommend_file(real_library, padded, count=3)
        assert found.recognised is not None
        return found.recognised.audio_ids, [recommendation.track_id for recommendation in found.recommendations]

    alone = answer(0, 0)
    for before, behind in ((0, 300), (300, 0), (0.37, 45), (30, 2.2), (1.234, 0.007)):
        assert answer(before, behind) == alone


def test_a_file_of_the_library_is_recognised_as_itself_and_not_as_its_copy_with_silence(
    library: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(JOURNEY, dtype="float32")
    silence = np.zeros((30 * rate, *samples.shape[1:]), np.float32)
    for name, signal in {"alone": samples, "before": np.concatenate([silence, samples])}.items():
        library.blobs.upload_file("soundtracks", f"{name}.wav", write_audio(tmp_path / f"{name}.wav", signal, rate))
    run_library(library, instance)
    for name in ("alone", "before"):
        answer = recommend_file(library, tmp_path / f"{name}.wav", count=5)
        assert answer.recognised is not None
        assert answer.recognised.title == name
        assert answer.recognised.certainty == 1
        assert answer.recommendations == [], "the other file is the same recording"


def test_nothing_is_stored_when_a_file_is_recommended_for(real_library: Library) -> None:
    def stored() -> set[str]:
        return {blob.name for blob in real_library.blobs.list("cepstra")}

    # The first answer of an index measures how far its tracks are apart, once for all answers.
    recommend_file(real_library, DEMO / "uploads" / "caribbean.mp3", count=2)
    before = stored()
    answer = recommend_file(real_library, DEMO / "uploads" / "coherence.mp3", count=2)

    assert stored() == before
    assert [recommendation.rank for recommendation in answer.recommendations] == [1, 2]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A file that is not in the library."""
    return write_music(tmp_path / "other.flac", 4.0, seed=100)


def track_features_of_file(library: Library, path: Path) -> TrackFeatures:
    parameters = library.feature_parameters
    blocks = AudioReader(
        path, parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples, library.limits
    ).blocks()
    return track_features_of(analyse(blocks, parameters.cepstra), parameters)


@pytest.mark.parametrize("size", [1, 3, 9, 20])
def test_an_exact_answer_is_certified_and_equals_comparing_with_all(
    ten_tracks: Library, music: Path, size: int
) -> None:
    answer = recommend_file(ten_tracks, music, count=size, exact=True)

    index = ten_tracks.indexes.published()
    nearest = compared_with_all(ten_tracks, index, AudioId(""), track_features_of_file(ten_tracks, music))
    truth = list_order_of(ten_tracks, index)(nearest, {AudioId("")})[:size]
    assert answer.certified
    assert answer.recall is None
    assert [recommendation.track_id for recommendation in answer.recommendations] == [
        index.tracks[audio] for audio, _ in truth
    ]
    distances = [recommendation.distance for recommendation in answer.recommendations]
    assert distances == pytest.approx([distance for _, distance in truth], rel=1e-3)


def test_an_answer_that_is_not_certified_has_the_measured_recall_of_its_index(ten_tracks: Library, music: Path) -> None:
    version = ten_tracks.indexes.published().version
    answer = recommend_file(ten_tracks, music, count=5)
    assert not answer.certified
    assert answer.recall == ten_tracks.indexes.read_quality(version)[RECALL] == 1.0

    ten_tracks.indexes.write_quality(version, {RECALL: 0.875})
    assert recommend_file(ten_tracks, music, count=5).recall == 0.875
    ten_tracks.indexes.write_quality(version, {})
    assert recommend_file(ten_tracks, music, count=5).recall is None


@pytest.mark.parametrize("exact", [False, True])
def test_a_query_is_compared_with_a_track_whose_features_are_lost(
    ten_tracks: Library, music: Path, *, exact: bool
) -> None:
    index = ten_tracks.indexes.published()
    before = recommend_file(ten_tracks, music, count=10, exact=exact)
    for each in index.tracks:
        ten_tracks.blobs.delete("cepstra", f"summaries/{ten_tracks.feature_parameters.version}/{each}.parquet")

    assert recommend_file(ten_tracks, music, count=10, exact=exact).recommendations == before.recommendations


def test_audio_that_must_not_be_recommended_does_not_replace_a_candidate(ten_tracks: Library) -> None:
    index = ten_tracks.indexes.published()
    query_audio, recognised, *others = index.tracks
    search = search_for(ten_tracks, index, query_audio)

    candidates = find_query_candidates(
        index, search, recordings_of(ten_tracks, index), without={query_audio, recognised}, count=8
    )
    assert {audio for audio, _ in candidates} == set(others)


@pytest.mark.parametrize("at_once", [1, 4])
def test_candidates_do_not_depend_on_how_many_are_looked_up_at_once(ten_tracks: Library, at_once: int) -> None:
    index = ten_tracks.indexes.published()
    audio_id, first = next(iter(index.tracks)), np.array([0])
    candidates = find_query_candidates(
        index, search_for(ten_tracks, index, audio_id), recordings_of(ten_tracks, index), without=(), count=10
    )

    track = Tracks(index.feature_table.rows(first), index.contours.rows(first))
    search = Search(index, track, index.statistics.rows(first), on_all_cores, rows_at_once=at_once)
    assert find_query_candidates(index, search, recordings_of(ten_tracks, index), without=(), count=10) == candidates
    assert len(candidates) == 10


def test_a_query_is_ranked_exactly_and_without_tracks_that_have_left_the_library(ten_tracks: Library) -> None:
    index = ten_tracks.indexes.published()
    query_audio, *others = index.tracks
    search = search_for(ten_tracks, index, query_audio)
    ranked = rank_query(ten_tracks, index, search, others, count=9)
    track_features = ten_tracks.features.read_track_features(query_audio, index.parameters.features)
    truth = compared_with_all(ten_tracks, index, query_audio, track_features)
    assert [audio for audio, _ in ranked] == [audio for audio, _ in truth]
    assert [distance for _, distance in ranked] == pytest.approx([distance for _, distance in truth], rel=1e-3)
    assert len(ranked) == 9
    assert rank_query(ten_tracks, index, search, others) == ranked[: index.parameters.ranked_count]

    (nearest, _) = ranked[0]
    gone = ten_tracks.catalogue.tracks_of_audio([nearest])[nearest].blob_name
    ten_tracks.catalogue.record_observed([], [track_id(gone)], shard_digits=1, run_id="run")
    assert rank_query(ten_tracks, index, search, others, count=9) == ranked[1:]


@pytest.mark.parametrize("exact", [False, True])
def test_an_empty_library_recommends_nothing(library: Library, music: Path, exact: bool) -> None:
    publish(library)
    answer = recommend_file(library, music, count=5, exact=exact)
    assert answer.recommendations == []
    assert answer.recognised is None


# --- Certified answers


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    """The index of fourteen ranked tracks."""
    add_tracks(library, *range(TRACKS))
    return index_and_rank(library)[0]


@pytest.fixture
def truth(library: Library, index: LibraryIndex) -> RankedList:
    """Return all other tracks of the library with their distances to the query, nearest first."""
    track_features = library.features.read_track_features(QUERY, index.parameters.features)
    return compared_with_all(library, index, QUERY, track_features)


def assert_same(found: RankedList, truth: RankedList) -> None:
    assert [audio for audio, _ in found] == [audio for audio, _ in truth]
    assert [distance for _, distance in found] == pytest.approx([distance for _, distance in truth], rel=1e-3)


def certified(library, index, found, others) -> RankedList:
    search = search_for(library, index, QUERY)
    return certify(search, found, count=COUNT, others=[audio for audio, _ in others])


@pytest.mark.parametrize("lost", range(COUNT))
def test_a_track_that_the_search_missed_is_found_at_any_rank(library, index, truth, lost: int) -> None:
    found = [ranked for ranked in truth if ranked != truth[lost]][:COUNT]
    assert truth[lost] not in found
    assert_same(certified(library, index, found, truth), truth[:COUNT])


@pytest.mark.parametrize("found", [slice(0, COUNT), slice(2, 4), slice(8, 13), slice(0, 0), slice(0, TRACKS)])
def test_a_certified_answer_equals_comparing_with_all_whatever_was_found(library, index, truth, found: slice) -> None:
    assert_same(certified(library, index, truth[found], truth), truth[:COUNT])


def test_a_certified_answer_has_only_tracks_that_were_found_or_offered(library, index, truth) -> None:
    assert_same(certified(library, index, truth[1:2], truth[4:6]), [truth[1], truth[4], truth[5]])
    assert certified(library, index, [], []) == []


def test_a_better_search_result_makes_the_proof_cheaper(library, index, truth) -> None:
    cells = []
    nothing: RankedList = []
    for found in (truth[:COUNT], nothing):
        search = search_for(library, index, QUERY)
        certify(search, found, count=COUNT, others=[audio for audio, _ in truth])
        assert search.contour_query is not None
        cells.append(search.contour_query.cells)
    assert cells[0] < cells[1]
