"""One file answered at once."""

import logging
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.track_features import TrackFeatures, analyse, track_features_of
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import find_query_candidates, rank_query, recommend_file, search_for
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.ranked_library import compared_with_all, publish
from mfcc_assets_tests.runs import run_library

DEMO = Path(__file__).parents[2] / "mfcc_assets" / "demo"
JOURNEY = DEMO / "library" / "Maxstack_A_New_Journey.ogg"
OTHERS = ["Maxstack_Awakening.ogg", "Muldjord_armygeddon.ogg", "Will_Savino_Ocean.ogg"]


@pytest.fixture
def real_library(library: Library, instance: dg.DagsterInstance) -> Library:
    """Four tracks, one of them a second time: 18 s of it, as MP3."""
    for path in (JOURNEY, *(DEMO / "library" / name for name in OTHERS)):
        library.blobs.upload_file("soundtracks", path.name, path)
    library.blobs.upload_file("soundtracks", "again.mp3", DEMO / "uploads" / "a-new-journey.mp3")
    run_library(library, instance)
    return library


@pytest.mark.parametrize("query", [JOURNEY, DEMO / "uploads" / "a-new-journey.mp3"])
def test_no_encoding_of_the_recording_that_was_asked_about_is_recommended(real_library: Library, query: Path) -> None:
    answer = recommend_file(real_library, query, size=5)

    assert answer.recognised is not None
    assert len(answer.recognised.audio_ids) == 2
    assert {place.track_id for place in answer.recommendations} == {track_id(name) for name in OTHERS}


def test_nothing_is_stored_of_a_file_that_is_only_asked_about(real_library: Library) -> None:
    def stored() -> set[str]:
        return {blob.name for blob in real_library.blobs.list("cepstra")}

    before = stored()
    answer = recommend_file(real_library, DEMO / "uploads" / "coherence.mp3", size=2)

    assert stored() == before
    assert [place.rank for place in answer.recommendations] == [1, 2]
    assert answer.recommendations[0].distance <= answer.recommendations[1].distance


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A file that is not in the library."""
    return write_music(tmp_path / "other.flac", 4.0, seed=100)


def summary_of(library: Library, path: Path) -> TrackFeatures:
    parameters = library.settings.features
    blocks = AudioReader(
        path, parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples, library.settings.limits
    ).blocks()
    return track_features_of(analyse(blocks, parameters.cepstra), parameters)


@pytest.mark.parametrize("size", [1, 3, 9, 20])
def test_an_exact_answer_is_certified_and_that_of_comparing_with_all(
    ten_tracks: Library, music: Path, size: int
) -> None:
    answer = recommend_file(ten_tracks, music, size=size, exact=True)

    index = ten_tracks.indexes.published()
    truth = compared_with_all(ten_tracks, index, "", summary_of(ten_tracks, music))[:size]
    assert answer.certified
    assert answer.recall is None
    assert [place.track_id for place in answer.recommendations] == [index.tracks[audio] for audio, _ in truth]
    distances = [place.distance for place in answer.recommendations]
    assert distances == pytest.approx([distance for _, distance in truth], rel=1e-3)


def test_an_answer_without_proof_carries_the_recall_measured_of_its_index(ten_tracks: Library, music: Path) -> None:
    version = ten_tracks.indexes.published_version()
    answer = recommend_file(ten_tracks, music, size=5)
    assert not answer.certified
    assert answer.recall == ten_tracks.indexes.read_quality(version)[RECALL] == 1.0

    ten_tracks.indexes.write_quality(version, {RECALL: 0.875})
    assert recommend_file(ten_tracks, music, size=5).recall == 0.875
    ten_tracks.indexes.write_quality(version, {})
    assert recommend_file(ten_tracks, music, size=5).recall is None


def test_a_track_that_cannot_be_compared_is_passed_over_and_makes_an_exact_answer_impossible(
    ten_tracks: Library, music: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = ten_tracks.indexes.published()
    damaged = next(iter(index.tracks))
    ten_tracks.blobs.delete("cepstra", f"summaries/{index.parameters.features.version}/{damaged}.parquet")

    with caplog.at_level(logging.WARNING):
        answer = recommend_file(ten_tracks, music, size=10)
    assert {place.track_id for place in answer.recommendations} == {
        track for audio, track in index.tracks.items() if audio != damaged
    }
    assert damaged in caplog.text
    with pytest.raises(FeaturesMissing, match=damaged):
        recommend_file(ten_tracks, music, size=10, exact=True)


def test_what_is_not_to_be_recommended_takes_no_candidates_place(ten_tracks: Library) -> None:
    index = ten_tracks.indexes.published()
    query_audio, recognised, *others = index.tracks
    search = search_for(ten_tracks, index, query_audio)

    candidates = find_query_candidates(index, search, without={query_audio, recognised}, count=8)
    assert {audio for audio, _ in candidates} == set(others)


@pytest.mark.parametrize("at_once", [1, 4])
def test_candidates_are_the_same_however_many_are_looked_up_at_once(
    ten_tracks: Library, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    index = ten_tracks.indexes.published()
    search = search_for(ten_tracks, index, next(iter(index.tracks)))
    candidates = find_query_candidates(index, search, without=(), count=10)

    monkeypatch.setattr("mfcc_assets.search.query._LOOKED_UP_AT_ONCE", at_once)
    assert find_query_candidates(index, search, without=(), count=10) == candidates
    assert len(candidates) == 10


def test_a_query_is_ranked_as_exactly_as_the_library_without_what_has_gone(ten_tracks: Library) -> None:
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
    ten_tracks.catalogue.record_observed([], [gone], shard_digits=1, run_id="run")
    assert rank_query(ten_tracks, index, search, others, count=9) == ranked[1:]


@pytest.mark.parametrize("exact", [False, True])
def test_an_empty_library_recommends_nothing(library: Library, music: Path, exact: bool) -> None:
    publish(library)
    answer = recommend_file(library, music, size=5, exact=exact)
    assert answer.recommendations == []
    assert answer.recognised is None
